import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { checkRedisFormat } from '../../../src/adapters/redis/format-stamp.ts';
import { type RedisServer, startRedisServer } from '../../helpers/redis-server.ts';
import { Cluster } from './fixture.ts';

let server: RedisServer;
let cluster: Cluster;

beforeAll(async () => {
  server = await startRedisServer();
  cluster = new Cluster(await server.connect());
});
beforeEach(() => cluster.redis.flushall());
afterAll(async () => {
  await cluster.stop();
  await server.stop();
});

const check = () => checkRedisFormat(cluster.redis, cluster.keys, 'test');

test('a Redis with batches and no number is of the first format', async () => {
  await cluster.redis.zadd(cluster.keys.batches, 1, 'b');
  await expect(check()).rejects.toMatchObject({ code: 'format_other' });
});

test('a Redis that has lost its memory takes new processes, whatever those that ran on have written since', async () => {
  const { ledger } = await cluster.worker();
  const writes = [
    () => ledger.setLimit('global/day', 5),
    () => ledger.applyConfigLimits(new Map([['global/day', 5]]), 'fill'),
    () => cluster.queuedBatch(),
  ];
  for (const write of writes) {
    await check();
    await cluster.redis.flushall();
    await write();
    await check();
  }
});
