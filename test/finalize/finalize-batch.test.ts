import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MemoryStore } from '../../src/adapters/memory-store/memory-store.ts';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import type { BatchRegistry } from '../../src/batches/batch-registry.ts';
import type { BatchSubmission } from '../../src/batches/batch-submission.ts';
import { type FinalizeContext, finalizeBatch } from '../../src/finalize/finalize-batch.ts';
import { storeKeys } from '../../src/store/store-keys.ts';
import { Cluster } from '../adapters/redis/fixture.ts';
import { commitOf } from '../contract/cluster.ts';
import { type RedisServer, startRedisServer } from '../helpers/redis-server.ts';

let server: RedisServer;
let cluster: Cluster;

beforeAll(async () => {
  server = await startRedisServer();
  cluster = new Cluster(await server.connect());
});

afterAll(async () => {
  await cluster.stop();
  await server.stop();
});

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

async function committedBatch(store: MemoryStore, more: { readonly isTrial?: boolean } = {}): Promise<string> {
  const batchId = await cluster.queuedBatch(1, more);
  const { token } = await cluster.claim(batchId);
  const part = async (kind: 'results' | 'errors', lines: number) => {
    const key = storeKeys.work(batchId, 0, token, kind);
    await store.put(key, gzipSync('{}\n'.repeat(lines)));
    return { key, lines };
  };
  const commit = commitOf(token, { results: await part('results', 7), errors: await part('errors', 3) });
  await cluster.batches.commitSlice(batchId, 0, token, commit);
  return batchId;
}

async function contextOf(store: MemoryStore, batches: BatchRegistry = cluster.batches): Promise<FinalizeContext> {
  const { ledger } = await cluster.worker();
  const submission: BatchSubmission = {
    schemaVersion: 1,
    batchId: 'b',
    createdAt: '2026-03-01T00:00:00.000Z',
    workflow: { name: 'triage', task: 'summarize', summary: { maxWords: 10 }, cascade: [] },
    timezones: { workflow: 'UTC', global: 'UTC' },
    contentHash: '',
    configHash: '',
    prompt: { version: '', sha256: '' },
    inputs: [],
  };
  return {
    store,
    batches,
    ledger,
    log: SILENT,
    clock: { ...systemClock, now: () => 1_772_323_300_000, monotonic: () => 0 },
    submission: async () => submission,
    owners: { forget: async () => {} },
    powered: new Set(),
    lessonsOf: async () => new Map(),
    breakerHistory: async () => [],
    notify: async () => {},
    histories: { get: async () => undefined, add: async () => {} },
  };
}

/** What Redis knows of a batch, to come back as it is after a restart without its last second. */
async function remembered(batchId: string) {
  const redis = await server.connect();
  const [batch, commits] = [cluster.keys.batch(batchId), cluster.keys.slices(batchId)];
  const [fields, slices] = [await redis.hgetall(batch), await redis.hgetall(commits)];
  return {
    comesBack: async (changed: Readonly<Record<string, string>>) => {
      await redis.del(batch, commits);
      await redis.hset(batch, { ...fields, ...changed });
      await redis.hset(commits, slices);
      await redis.sadd(cluster.keys.openBatches, batchId);
    },
  };
}

async function manifestOf(store: MemoryStore, batchId: string) {
  const bytes = (await store.get(storeKeys.manifest(batchId))) ?? new Uint8Array();
  return JSON.parse(Buffer.from(bytes).toString()) as { files: { key: string; lines: number }[] };
}

test('finalizeBatch() lists the results and errors of every slice', async () => {
  const store = new MemoryStore();
  const batchId = await committedBatch(store);
  expect(await finalizeBatch(await contextOf(store), batchId)).toBe(true);
  expect((await manifestOf(store, batchId)).files.map(({ lines }) => lines)).toEqual([7, 3]);
});

test('finalizeBatch() that another worker overtakes at any read of the commits leaves the other one’s files', async () => {
  for (let overtakenAt = 1; overtakenAt <= 3; overtakenAt += 1) {
    const store = new MemoryStore();
    const batchId = await committedBatch(store);
    const whole = await contextOf(store);
    let reads = 0;
    const batches = new Proxy(cluster.batches, {
      get(target, name) {
        const member = Reflect.get(target, name) as unknown;
        if (typeof member !== 'function') return member;
        if (name !== 'commits') return member.bind(target);
        return async function* (...args: Parameters<BatchRegistry['commits']>) {
          reads += 1;
          if (reads === overtakenAt) await finalizeBatch(whole, batchId);
          yield* target.commits(...args);
        };
      },
    });
    expect(await finalizeBatch(await contextOf(store, batches), batchId)).toBe(true);
    expect((await manifestOf(store, batchId)).files.map(({ lines }) => lines)).toEqual([7, 3]);
    for (const { key } of (await manifestOf(store, batchId)).files) expect(await store.head(key)).toBeDefined();
    expect(await finalizeBatch(await contextOf(store), batchId)).toBe(true);
  }
});

test('finalizeBatch() adds a batch to what its workflow usually does, but not one of a cascade that is only tried', async () => {
  const added: string[] = [];
  for (const more of [{}, { isTrial: true }]) {
    const store = new MemoryStore();
    const batchId = await committedBatch(store, more);
    expect((await cluster.batches.get(batchId))?.isTrial).toBe(more.isTrial);
    const add = async () => void added.push(batchId);
    await finalizeBatch({ ...(await contextOf(store)), histories: { get: async () => undefined, add } }, batchId);
    if (more.isTrial !== true) expect(added).toEqual([batchId]);
  }
  expect(added).toHaveLength(1);
});

test('finalizeBatch() whose Redis loses its memory before the totals are read writes no manifest of nothing', async () => {
  const store = new MemoryStore();
  const batchId = await committedBatch(store);
  const context = await contextOf(store);
  const redis = await server.connect();
  const ledger = new Proxy(context.ledger, {
    get(target, name) {
      const member = Reflect.get(target, name) as unknown;
      if (name !== 'totals') return typeof member === 'function' ? member.bind(target) : member;
      return async (...args: Parameters<typeof context.ledger.totals>) => {
        await redis.flushall();
        return target.totals(...args);
      };
    },
  });
  expect(await finalizeBatch({ ...context, ledger }, batchId)).toBe(true);
  expect(await store.head(storeKeys.manifest(batchId))).toBeUndefined();
  // The slice's rows are there still, for `recover`.
  expect((await Array.fromAsync(store.list(storeKeys.workPrefix(batchId)))).length).toBeGreaterThan(0);
});

test('finalizeBatch() whose Redis forgets commits before the end does not end the batch, which can be worked on', async () => {
  const store = new MemoryStore();
  const batchId = await committedBatch(store);
  const before = await remembered(batchId);
  const add = async () => await before.comesBack({ state: 'running', slicesCommitted: '0' });
  const context = { ...(await contextOf(store)), histories: { get: async () => undefined, add } };
  expect(await finalizeBatch(context, batchId)).toBe(false);
  expect(await cluster.batches.get(batchId)).toMatchObject({ state: 'running', slicesCommitted: 0 });
  expect((await Array.fromAsync(store.list(storeKeys.workPrefix(batchId)))).length).toBeGreaterThan(0);
});

test('finalizeBatch() ends a batch by its manifest where Redis has forgotten its end and the work files are gone', async () => {
  const store = new MemoryStore();
  const batchId = await committedBatch(store);
  const context = await contextOf(store);
  const before = await remembered(batchId);
  expect(await finalizeBatch(context, batchId)).toBe(true);
  const files = (await manifestOf(store, batchId)).files;
  await before.comesBack({ state: 'finalizing' });
  // What was done again meanwhile: all results, and not all errors.
  const [again] = (await Array.fromAsync(cluster.batches.commits(batchId, 1))).map((commit) => commit?.results?.key);
  await store.put(again ?? '', gzipSync('{"again":1}\n'));
  expect(await finalizeBatch(context, batchId)).toBe(true);
  expect(await Array.fromAsync(store.list(storeKeys.workPrefix(batchId)))).toEqual([]);
  expect(await cluster.batches.get(batchId)).toMatchObject({ state: 'completed' });
  expect((await cluster.batches.listOpen()).map((open) => open.batchId)).not.toContain(batchId);
  expect((await manifestOf(store, batchId)).files).toEqual(files);
  const kept = await store.get(storeKeys.output(batchId, 0));
  expect(gunzipSync(kept ?? '').toString()).toBe('{}\n'.repeat(7));
});
