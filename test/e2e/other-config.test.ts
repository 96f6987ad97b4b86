import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { HttpModel } from '../helpers/http-model.ts';
import { startTcpRedis, type TcpRedis } from '../helpers/tcp-redis.ts';
import { configYaml, expectBalanced, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';

let model: HttpModel;
let redis: TcpRedis;

beforeAll(async () => {
  model = await HttpModel.start();
  redis = await startTcpRedis();
});
beforeEach(() => model.reset());
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
});

it('a worker whose config lacks a provider leaves the batch to others and says so', async () => {
  const config = configYaml({ url: model.url, redis: redis.url });
  const documents = makeDocuments(20);
  await using workspace = await Workspace.make({
    'nightmill.yaml': config,
    'poor.yaml': config.replaceAll('provider: acme', 'provider: other').replace('  acme: {', '  other: {'),
    'docs.jsonl': toJsonl(documents),
  });
  const submitted = await workspace.run(['submit', 'docs.jsonl', '-w', 'triage']);
  const id = submitted.stdout.trim();
  const poor = await workspace.startWorker('--config', 'poor.yaml');
  await poor.prints(/slice:deferred/);
  const shown = await workspace.run(['status', id]);
  expect(shown.stdout).toMatch(/left out {3}worker .+ cannot work on it: its config .+ has no provider "acme"/);
  expect(model.calls).toHaveLength(0);
  await workspace.startWorker();
  const done = await workspace.run(['submit', 'docs.jsonl', '-w', 'triage', '--wait']);
  expect(done, done.stderr).toMatchObject({ code: 0 });
  await workspace.run(['results', id, '-o', 'out']);
  const output = await workspace.readOutput('out');
  expectBalanced(
    output,
    documents.map((document) => document.id),
  );
  expect(output.errors).toEqual([]);
});
