import { existsSync } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  configYaml,
  expectBalanced,
  makeDocuments,
  type StatusJson,
  toJsonl,
  Workspace,
} from '../helpers/workspace.ts';
import { modelAndRedis } from './model-and-redis.ts';

const { model, redis } = await modelAndRedis();

const SUBMIT = ['-w', 'triage'];

async function makeWorkspace(files: Readonly<Record<string, string | Uint8Array>>): Promise<Workspace> {
  const config = configYaml({ url: model.url, redis: redis.url });
  return await Workspace.make({
    'nightmill.yaml': config.replace('sliceDocuments: 8', 'sliceDocuments: 8, maxLineBytes: 2000'),
    ...files,
  });
}

/** Objects in the file store, whatever they are. */
async function storedObjects(workspace: Workspace): Promise<string[]> {
  const folder = workspace.path('.nightmill/store/batches');
  if (!existsSync(folder)) return [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

/** When the last slice of the batch `large` was written, in milliseconds. */
async function newestSlice(workspace: Workspace): Promise<number> {
  const folder = workspace.path('.nightmill/store/batches/large/input');
  const infos = await Promise.all(
    (await readdir(folder)).map((name) => stat(`${folder}/${name}`).catch(() => undefined)),
  );
  return Math.max(...infos.map((info) => info?.mtimeMs ?? 0));
}

const good = toJsonl(makeDocuments(20));
/** Each kind of bad line, in the order of the documentation, after 20 good ones. */
const badLines: readonly (readonly [kind: string, line: string | Uint8Array, code: string])[] = [
  ['invalid JSON', '{"id": "x", "text": ', 'invalid_json'],
  ['no text', '{"id": "x"}', 'missing_text'],
  ['a duplicate id', '{"id": "doc-3", "text": "again"}', 'duplicate_id'],
  ['not UTF-8', Buffer.from([0x7b, 0x22, 0x69, 0x64, 0xff, 0xfe, 0x7d]), 'not_utf8'],
  ['too large', JSON.stringify({ id: 'x', text: 'long '.repeat(500) }), 'too_large'],
];

function afterGoodLines(...lines: (string | Uint8Array)[]): Uint8Array {
  return Buffer.concat([Buffer.from(good), ...lines.flatMap((line) => [Buffer.from(line), Buffer.from('\n')])]);
}

/** Of 30,000 documents, 250 a slice. */
const SLICES_OF_LARGE = 120;

describe('nightmill submit of bad input', () => {
  it('every kind of bad line is named with its line number and code, and nothing is stored', async () => {
    await using workspace = await makeWorkspace({ 'docs.jsonl': afterGoodLines(...badLines.map(([, line]) => line)) });
    const { code, stdout, stderr } = await workspace.run(['submit', 'docs.jsonl', ...SUBMIT, '--id', 'bad']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/5 bad lines; nothing was submitted/);
    for (const [index, [, , problem]] of badLines.entries()) {
      expect(stderr).toMatch(new RegExp(`docs\\.jsonl:${21 + index}: .*\\(${problem}\\)`));
    }
    expect(stderr).toContain('--skip-invalid');
    expect(await storedObjects(workspace)).toEqual([]);
    expect(await workspace.json<StatusJson[]>(['status'])).toEqual([]);
  });

  it('--skip-invalid turns every bad line into one error row and run ends with 4', async () => {
    await using workspace = await makeWorkspace({ 'docs.jsonl': afterGoodLines(...badLines.map(([, line]) => line)) });
    const finished = await workspace.run(['run', 'docs.jsonl', ...SUBMIT, '-o', 'out', '--skip-invalid']);
    expect(finished, finished.stderr).toMatchObject({ code: 4 });
    const output = await workspace.readOutput('out');
    const lines = badLines.map((_, index) => `docs.jsonl:${21 + index}`);
    expectBalanced(output, [...makeDocuments(20).map(({ id }) => id), ...lines]);
    expect(output.errors).toEqual(
      badLines.map(([, , code], index) => ({
        id: lines[index],
        status: 'skipped',
        error: { code, message: expect.stringMatching(/./) },
        calls: 0,
        usage: { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0 },
        costUsd: 0,
      })),
    );
    expect(output.manifest.documents).toMatchObject({ total: 25, succeeded: 20, skipped: 5 });
    expect(model.calls).toHaveLength(20);
  });

  it('inputs that cannot be read at all are refused with what is supported', async () => {
    await using workspace = await makeWorkspace({
      'empty.jsonl': '',
      'blank.jsonl': '\n\n',
      'table.xlsx': 'x',
      'broken.jsonl.gz': Buffer.from([0x1f, 0x8b, 8, 0, 0, 0]),
      'pictures/cat.png': 'x',
    });
    await mkdir(workspace.path('nothing'));
    const expected: Readonly<Record<string, RegExp>> = {
      'empty.jsonl': /empty\.jsonl has no documents; nothing was submitted/,
      'blank.jsonl': /no documents/,
      'missing.jsonl': /Cannot read missing\.jsonl: there is no such file/,
      'table.xlsx': /table\.xlsx: its type is not supported\. Supported: JSONL/,
      'broken.jsonl.gz': /broken\.jsonl\.gz/,
      pictures: /folder pictures: it has no documents.*cat\.png/,
      nothing: /folder nothing.*empty/,
      's3:///x': /s3:\/\/bucket\/prefix/,
    };
    const finished = await Promise.all(
      Object.entries(expected).map(async ([input, message]) => ({
        input,
        message,
        ...(await workspace.run(['submit', input, ...SUBMIT, '--id', `of-${Object.keys(expected).indexOf(input)}`])),
      })),
    );
    for (const { input, message, code, stdout, stderr } of finished) {
      expect({ input, code, stdout }, stderr).toEqual({ input, code: 2, stdout: '' });
      expect(stderr).toMatch(message);
      expect(stderr).not.toMatch(/\n\s+at /);
    }
    expect(await storedObjects(workspace)).toEqual([]);
    expect(await workspace.json<StatusJson[]>(['status'])).toEqual([]);
  });
});

describe('nightmill submit again', () => {
  it('the same id and content is a no-op that prints the same id; other content is refused', async () => {
    await using workspace = await makeWorkspace({ 'docs.jsonl': good, 'other.jsonl': toJsonl(makeDocuments(21)) });
    const first = await workspace.run(['submit', 'docs.jsonl', ...SUBMIT, '--id', 'night']);
    const second = await workspace.run(['submit', 'docs.jsonl', ...SUBMIT, '--id', 'night']);
    expect([first.code, first.stdout, second.code, second.stdout]).toEqual([0, 'night\n', 0, 'night\n']);
    expect(second.stderr).toContain('submitted before with the same content');
    expect(await workspace.json<StatusJson[]>(['status'])).toMatchObject([{ id: 'night', documents: { total: 20 } }]);

    const objects = await storedObjects(workspace);
    const other = await workspace.run(['submit', 'other.jsonl', ...SUBMIT, '--id', 'night']);
    expect(other).toMatchObject({ code: 2, stdout: '' });
    expect(other.stderr).toMatch(/Cannot submit as night: .* other documents\. Choose another --id/);
    const workflow = await workspace.run(['submit', 'docs.jsonl', '-w', 'digest', '--id', 'night']);
    expect(workflow).toMatchObject({ code: 2 });
    expect(workflow.stderr).toMatch(/with the workflow triage/);
    expect(await storedObjects(workspace)).toEqual(objects);
    expect(model.calls).toHaveLength(0);

    await workspace.startWorker();
    await workspace.statusWhen('night', ({ state }) => state === 'completed');
    const third = await workspace.run(['submit', 'docs.jsonl', ...SUBMIT, '--id', 'night', '--wait']);
    expect(third, third.stderr).toMatchObject({ code: 0, stdout: 'night\n' });
    expect(model.calls).toHaveLength(20);
  });

  it('a submission that was killed while it read is repeated and gives each document once', async () => {
    const documents = makeDocuments(30_000);
    const config = configYaml({ url: model.url, redis: redis.url, slice: 250, cascade: '[{ model: local }]' });
    await using workspace = await Workspace.make({ 'nightmill.yaml': config, 'docs.jsonl': toJsonl(documents) });
    const args = ['submit', 'docs.jsonl', '-w', 'triage', '--id', 'large'];
    const killed = workspace.start(args);
    const slices = async () => (await storedObjects(workspace)).filter((name) => name.startsWith('slice-')).length;
    while ((await slices()) < 3) await delay(5);
    killed.kill('SIGKILL');
    expect(await killed.exited).toMatchObject({ signal: 'SIGKILL' });
    expect(await workspace.status('large')).toMatchObject({ state: 'ingesting' });
    expect(await slices()).toBeLessThan(SLICES_OF_LARGE);

    const interrupted = workspace.start(args);
    const before = await newestSlice(workspace);
    while ((await newestSlice(workspace)) === before) await delay(5);
    interrupted.kill('SIGINT');
    const ended = await interrupted.exited;
    expect(ended).toMatchObject({ code: 130, signal: null, stdout: '' });
    expect(ended.stderr).toMatch(/Interrupted by SIGINT.*the same command resumes/);
    expect(ended.stderr).not.toMatch(/\n\s+at /);
    expect(await workspace.status('large')).toMatchObject({ state: 'ingesting' });

    const again = await workspace.run(args);
    expect(again, again.stderr).toMatchObject({ code: 0, stdout: 'large\n' });
    expect(await workspace.status('large')).toMatchObject({ state: 'queued', documents: { total: 30_000 } });
    expect(await slices()).toBe(SLICES_OF_LARGE);
  });
});
