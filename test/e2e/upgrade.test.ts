import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cli, runCli } from '../helpers/cli.ts';
import { HttpModel } from '../helpers/http-model.ts';
import { startTcpRedis, type TcpRedis } from '../helpers/tcp-redis.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';
import { configYaml, expectBalanced, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
let model: HttpModel;
let redis: TcpRedis;

beforeAll(async () => {
  model = await HttpModel.start();
  redis = await startTcpRedis();
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
});

/** Another build of the program: its tree with some text changed. */
async function makeBuild(changes: readonly { file: string; from: RegExp; to: string }[]) {
  const folder = await makeTemporaryFolder('build');
  for (const part of ['bin', 'config', 'jobs', 'src', 'workers', 'package.json']) {
    await cp(`${ROOT}${part}`, `${folder.path}/${part}`, { recursive: true });
  }
  await symlink(`${ROOT}node_modules`, `${folder.path}/node_modules`);
  for (const { file, from, to } of changes) {
    const text = await readFile(`${folder.path}/${file}`, 'utf8');
    expect(text).toMatch(from);
    await writeFile(`${folder.path}/${file}`, text.replace(from, to));
  }
  return { program: `${folder.path}/bin/nightmill.js`, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

test.each([
  ['Redis', 'src/adapters/redis/format-stamp.ts', /REDIS_FORMAT = \d+/, 'REDIS_FORMAT = 99'],
  ['The store', 'src/store/store-format.ts', /STORE_FORMAT = \d+/, 'STORE_FORMAT = 99'],
])(
  '%s of another format is refused in one sentence, in both directions, and doctor says it',
  async (what, file, from, to) => {
    await using other = await makeBuild([{ file, from, to }]);
    const files = () => ({ 'nightmill.yaml': configYaml({ url: model.url, redis: redis.url }) });
    await using older = await Workspace.make(files());
    expect(await older.run(['status'])).toMatchObject({ code: 0 });
    const newer = await runCli(older.folder, ['status'], { program: other.program });
    expect(newer).toMatchObject({ code: 1 });
    expect(newer.stderr).toMatch(
      /^nightmill: (Redis|The store) .* has data of format \d and nightmill \S+ reads format 99: let the version .*\.\n$/,
    );
    expect(newer.stderr).toContain(what);
    const doctor = await runCli(older.folder, ['doctor'], { program: other.program });
    expect(doctor.stdout).toMatch(/FAILED .*reads format 99/);

    await using later = await Workspace.make(files());
    expect(await runCli(later.folder, ['status'], { program: other.program })).toMatchObject({ code: 0 });
    const refused = await later.run(['status']);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toMatch(
      /has data of format 99 and nightmill \S+ reads format \d: start a newer version of nightmill here/,
    );
  },
);

test('workers of two builds with the same format finish a batch side by side', async () => {
  await using other = await makeBuild([{ file: 'package.json', from: /"version": "[^"]*"/, to: '"version": "0.9.9"' }]);
  const documents = makeDocuments(60);
  await using workspace = await Workspace.make({
    'nightmill.yaml': configYaml({ url: model.url, redis: redis.url, slice: 5, concurrency: 4, worker: 'slices: 1' }),
    'docs.jsonl': toJsonl(documents),
  });
  const id = (await workspace.run(['submit', 'docs.jsonl', '-w', 'triage'])).stdout.trim();
  model.holdAfter(20);
  const old = await workspace.startWorker();
  await using newer = new Cli(workspace.folder, ['worker'], { program: other.program });
  await newer.prints(/worker:started/);
  await model.until(() => model.count('waiting') === 8);
  old.kill('SIGTERM');
  model.release();
  await workspace.statusWhen(id, ({ state }) => state === 'completed');
  await old.exited;
  newer.kill('SIGTERM');
  await newer.exited;
  expect(newer.stderr).toContain('slice:committed');
  expect(old.stderr).toContain('slice:committed');
  await workspace.run(['results', id, '-o', 'out']);
  const output = await workspace.readOutput('out');
  expectBalanced(
    output,
    documents.map((document) => document.id),
  );
  expect(output.manifest.documents['succeeded']).toBe(60);
});
