import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cli, type CliOptions, runCli } from '../helpers/cli.ts';
import { HttpModel } from '../helpers/http-model.ts';
import { startTcpRedis, type TcpRedis } from '../helpers/tcp-redis.ts';
import { configYaml, expectBalanced, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';

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

/** Options that make a process one of another build of the program (test/helpers/bundle-program.ts). */
function ofBuild(build: Readonly<Record<string, unknown>>): CliOptions {
  const script = `globalThis.otherBuild = ${JSON.stringify(build)}`;
  return { node: ['--import', `data:text/javascript,${encodeURIComponent(script)}`] };
}

test.each([
  ['Redis', { redisFormat: 99 }],
  ['The store', { storeFormat: 99 }],
])('%s of another format is refused in one sentence, in both directions, and doctor says it', async (what, build) => {
  const other = ofBuild(build);
  const files = () => ({ 'nightmill.yaml': configYaml({ url: model.url, redis: redis.url }) });
  await using older = await Workspace.make(files());
  expect(await older.run(['status'])).toMatchObject({ code: 0 });
  const newer = await runCli(older.folder, ['status'], other);
  expect(newer).toMatchObject({ code: 1 });
  expect(newer.stderr).toMatch(
    /^nightmill: (Redis|The store) .* has data of format \d and nightmill \S+ reads format 99: let the version .*\.\n$/,
  );
  expect(newer.stderr).toContain(what);
  const doctor = await runCli(older.folder, ['doctor'], other);
  expect(doctor.stdout).toMatch(/FAILED .*reads format 99/);

  await using later = await Workspace.make(files());
  expect(await runCli(later.folder, ['status'], other)).toMatchObject({ code: 0 });
  const refused = await later.run(['status']);
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.stderr).toMatch(
    /has data of format 99 and nightmill \S+ reads format \d: start a newer version of nightmill here/,
  );
});

test('workers of two builds with the same format finish a batch side by side', async () => {
  const documents = makeDocuments(60);
  await using workspace = await Workspace.make({
    'nightmill.yaml': configYaml({ url: model.url, redis: redis.url, slice: 5, concurrency: 4, worker: 'slices: 1' }),
    'docs.jsonl': toJsonl(documents),
  });
  const id = (await workspace.run(['submit', 'docs.jsonl', '-w', 'triage'])).stdout.trim();
  model.holdAfter(20);
  const old = await workspace.startWorker();
  await using newer = new Cli(workspace.folder, ['worker'], ofBuild({ version: '0.9.9' }));
  await newer.prints(/worker:started/);
  expect((await workspace.run(['workers', '--json'])).stdout).toContain('"0.9.9"');
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
