import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { HttpModel } from '../helpers/http-model.ts';
import { configYaml, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';

let model: HttpModel;
beforeAll(async () => {
  model = await HttpModel.start();
});
beforeEach(() => model.reset());
afterAll(() => model[Symbol.asyncDispose]());

const MARKER = 'zebrafalter-4711';

/** Files under a folder that hold the marker, packed or not. */
async function holding(folder: string, needle = MARKER): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path).catch(() => Buffer.of());
    if (unpacked(bytes).some((content) => content.includes(needle))) found.push(path);
  }
  return found;
}

function unpacked(bytes: Buffer): readonly Buffer[] {
  const contents = [bytes];
  for (const [magic, unpack] of [
    [Buffer.of(0x1f, 0x8b), gunzipSync],
    [Buffer.of(0x28, 0xb5, 0x2f, 0xfd), zstdDecompressSync],
  ] as const) {
    // Frames may stand anywhere, as replies do in the log of Redis.
    for (let at = bytes.indexOf(magic); at !== -1; at = bytes.indexOf(magic, at + 1)) {
      try {
        contents.push(unpack(bytes.subarray(at)));
      } catch {
        // No frame, or one with more behind it.
      }
    }
  }
  return contents;
}

it('delete leaves no byte of a document in store, Redis and its files or logs; another batch stays', async () => {
  const marked = makeDocuments(12).map((document) => ({
    ...document,
    id: `${MARKER}-${document.id}`,
    text: `${document.text} ${MARKER}`,
    metadata: { note: MARKER },
  }));
  await using workspace = await Workspace.make({
    'nightmill.yaml': configYaml({ url: model.url, workflow: 'cache: true' }),
    'marked.jsonl': toJsonl(marked),
    'other.jsonl': toJsonl(makeDocuments(8)),
  });
  const logs: string[] = [];
  for (const [file, id] of [
    ['marked.jsonl', 'marked'],
    ['other.jsonl', 'other'],
  ] as const) {
    const run = await workspace.run([
      'run',
      file,
      '-w',
      'triage',
      '--id',
      id,
      '-o',
      `out-${id}`,
      '--log-level',
      'debug',
    ]);
    expect(run, run.stderr).toMatchObject({ code: 0 });
    logs.push(run.stderr);
  }
  // As an evaluation of the batch leaves them.
  for (const name of ['evaluations', 'evaluated/triage']) {
    await mkdir(workspace.path(`.nightmill/store/${name}`), { recursive: true });
    await writeFile(workspace.path(`.nightmill/store/${name}/marked.json`), JSON.stringify({ id: MARKER }));
  }
  const folder = workspace.path('.nightmill');
  expect((await holding(folder)).length).toBeGreaterThan(0);
  // Redis has written the replies of its slices to its disk.
  const redisFolder = workspace.path('.nightmill/redis');
  expect((await holding(redisFolder, 'journal:marked')).length).toBeGreaterThan(0);
  expect(await workspace.run(['keep', 'marked'])).toMatchObject({ code: 0 });
  expect(await workspace.run(['delete', 'marked'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('nightmill keep marked --off') as string,
  });
  await workspace.run(['keep', 'marked', '--off']);
  const deleted = await workspace.run(['delete', 'marked', '--log-level', 'debug']);
  expect(deleted, deleted.stderr).toMatchObject({ code: 0 });
  expect(deleted.stdout).toContain('rewritten');
  expect(deleted.stdout).toMatch(/may still be in:\n {2}Backups/);
  await expect.poll(() => holding(folder), { timeout: 20_000 }).toEqual([]);
  expect(await holding(redisFolder, 'journal:marked')).toEqual([]);
  expect([...logs, deleted.stderr].join('\n')).not.toContain(MARKER);
  expect(await workspace.run(['status', 'marked'])).toMatchObject({ code: 2 });
  expect(await workspace.status('other')).toMatchObject({ state: 'completed' });
  const cached = await readdir(workspace.path('.nightmill/store/cache'), { recursive: true });
  expect(cached.filter((name) => name.endsWith('.json'))).toHaveLength(8);
}, 180_000);
