import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type RedisServer, startRedisServer } from '../../helpers/redis-server.ts';
import { Cluster } from './fixture.ts';

let server: RedisServer;
let cluster: Cluster;

beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  cluster = new Cluster(await server.connect());
});
afterEach(() => cluster.stop());

test('create() makes a record again that a process left half made, so that its id is not blocked', async () => {
  const batchId = await cluster.queuedBatch();
  await cluster.redis.del(cluster.keys.batch(batchId), cluster.keys.batches, cluster.keys.openBatches);
  await cluster.redis.hset(cluster.keys.batch(batchId), 'state', 'ingesting');
  const batch = {
    batchId,
    workflow: 'triage',
    priority: 0,
    createdAt: 2,
    contentHash: 'h',
    sliceDocuments: 1,
    sliceTokens: 1,
  };
  expect(await cluster.batches.create(batch)).toBe(true);
  expect(await cluster.batches.listOpen()).toMatchObject([{ batchId, contentHash: 'h', state: 'ingesting' }]);
});

test('create() is one command: a process that dies leaves all of a batch or nothing', async () => {
  await cluster.queuedBatch();
  await cluster.redis.config('RESETSTAT');
  await cluster.queuedBatch();
  const stats = await cluster.redis.info('commandstats');
  const sent = /^cmdstat_(hsetnx|zadd|sadd):calls=(\d+)/gm;
  // The script's own: one ZADD and one SADD, and no HSETNX before them.
  expect([...stats.matchAll(sent)].map(([, name, calls]) => `${name} ${calls}`).sort()).toEqual(['sadd 1', 'zadd 1']);
  expect(stats).toMatch(/^cmdstat_evalsha:calls=1,/m);
});
