import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { usdToNano } from '../../src/money/money.ts';
import { HttpModel } from '../helpers/http-model.ts';
import { startTcpRedis, type TcpRedis } from '../helpers/tcp-redis.ts';
import {
  configYaml,
  costOf,
  expectBalanced,
  makeDocuments,
  type Output,
  type RowJson,
  toJsonl,
  Workspace,
} from '../helpers/workspace.ts';

let model: HttpModel;
let redis: TcpRedis;
let s3: FauxqsServer;

beforeAll(async () => {
  model = await HttpModel.start();
  redis = await startTcpRedis();
  s3 = await startFauxqs({ port: 0, logger: false });
  s3.createBucket('mill');
});
beforeEach(() => model.reset());
afterAll(async () => {
  await s3.stop();
  await redis[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
});

function s3Lines(): string {
  return `store: s3://mill/night
s3: { endpoint: "${s3.address}", forcePathStyle: true, accessKeyId: test, secretAccessKey: test }`;
}

/** A row without what differs each time: how long it took, and the provider's ids of its requests. */
function withoutChance({ durationMs: _, spent = [], ...row }: RowJson) {
  return { ...row, spent: spent.map(({ requestIds: __, ...part }) => part) };
}

/** What must not depend on how the work was done. */
function answersOf({ results, errors }: Output) {
  return {
    results: results.map(withoutChance),
    errors: errors.map(withoutChance),
  };
}

describe('nightmill submit and workers', () => {
  it.each([
    ['a file store', () => ''],
    ['an S3 store', s3Lines],
  ])('two workers with %s share a batch and give the same results as run', async (_name, more) => {
    const documents = makeDocuments(60);
    const ids = documents.map(({ id }) => id);
    model.answer = ({ document, body }) => {
      const hard = /Ticket \d*3:/.test(document) && body.model.startsWith('small');
      return { content: JSON.stringify({ label: 'bug', confidence: hard ? 0.2 : 0.9 }) };
    };
    const options = { url: model.url, cascade: '[{ model: small, acceptAt: 0.5 }, { model: large }]', slice: 5 };
    await using alone = await Workspace.make({
      'nightmill.yaml': configYaml({ ...options, redis: redis.url }),
      'docs.jsonl': toJsonl(documents),
    });
    await using cluster = await Workspace.make({
      'nightmill.yaml': configYaml({ ...options, redis: redis.url, more: more(), worker: 'slices: 1' }),
      'docs.jsonl': toJsonl(documents),
    });
    const run = await alone.run(['run', 'docs.jsonl', '-w', 'triage', '-o', 'out']);
    expect(run, run.stderr).toMatchObject({ code: 0 });
    const bill = model.billNano;

    const submitted = await cluster.run(['submit', 'docs.jsonl', '-w', 'triage']);
    expect(submitted, submitted.stderr).toMatchObject({ code: 0 });
    const id = submitted.stdout.trim();
    expect(await cluster.status(id)).toMatchObject({ id, state: 'queued', documents: { total: 60, done: 0 } });
    const early = await cluster.run(['results', id, '-o', 'early']);
    expect(early).toMatchObject({ code: 2 });
    expect(early.stderr).toMatch(/0 of 60 documents are done.*--partial/);

    model.holdAfter(0);
    const workers = await Promise.all([cluster.startWorker(), cluster.startWorker()]);
    // Both have a slice in hand before the first answer.
    await model.until(() => model.count('waiting') === 10);
    model.release();
    const status = await cluster.statusWhen(id, ({ state }) => state === 'completed');
    for (const worker of workers) worker.kill('SIGTERM');
    for (const { exited } of workers) expect(await exited).toMatchObject({ code: 0 });
    for (const { stderr } of workers) expect(stderr).toContain('slice:committed');
    const results = await cluster.run(['results', id, '-o', 'out']);
    expect(results, results.stderr).toMatchObject({ code: 0 });
    const [one, many] = [await alone.readOutput('out'), await cluster.readOutput('out')];
    expectBalanced(many, ids);
    expect(answersOf(many)).toEqual(answersOf(one));
    expect(many.manifest.documents).toEqual(one.manifest.documents);
    expect(costOf(many.results)).toBe(bill);
    expect(usdToNano(status.spentUsd)).toBe(bill);
    expect(model.billNano).toBe(2 * bill);
  });

  it('a worker killed in the middle loses nothing: only calls that were in flight are made again, as uncertain', async () => {
    const documents = makeDocuments(48);
    await using workspace = await Workspace.make({
      'nightmill.yaml': configYaml({ url: model.url, redis: redis.url, slice: 6, concurrency: 4, worker: 'slices: 2' }),
      'docs.jsonl': toJsonl(documents),
    });
    const id = (await workspace.run(['submit', 'docs.jsonl', '-w', 'triage'])).stdout.trim();
    model.holdAfter(20);
    const [victim, survivor] = await Promise.all([workspace.startWorker(), workspace.startWorker()]);
    await model.until(() => model.count('waiting') === 8);
    // Every answer is settled; what the two hold are the calls that wait.
    await workspace.statusWhen(id, ({ spentUsd }) => usdToNano(spentUsd) === model.billNano);
    victim?.kill('SIGKILL');
    await victim?.exited;
    await model.until(() => model.count('lost') === 4);
    survivor?.kill('SIGKILL');
    await survivor?.exited;
    await model.until(() => model.count('lost') === 8);
    const billAtKill = model.billNano;
    model.release();

    await workspace.startWorker();
    const status = await workspace.statusWhen(id, ({ state }) => state === 'completed');
    await workspace.run(['results', id, '-o', 'out']);
    const output = await workspace.readOutput('out');
    expectBalanced(
      output,
      documents.map((document) => document.id),
    );
    expect(output.manifest.documents.succeeded).toBe(48);
    const answered = model.calls.filter((call) => call.state === 'answered').map((call) => call.hash);
    expect(new Set(answered).size).toBe(answered.length);
    expect(answered).toHaveLength(48);
    expect(model.repeats).toBe(8);
    expect(output.manifest.cost.uncertain.calls).toBe(8);
    expect(output.manifest.uncertainUsd).toBeGreaterThan(0);
    expect(model.billNano).toBeGreaterThan(billAtKill);
    expect(usdToNano(output.manifest.costUsd)).toBe(model.billNano);
    expect(usdToNano(status.spentUsd)).toBe(model.billNano + usdToNano(output.manifest.uncertainUsd));
  });
});
