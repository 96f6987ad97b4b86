import { afterAll, beforeAll, expect, test } from 'vitest';
import { RedisWorkerRegistry } from '../../../src/adapters/redis/live-workers.ts';
import { readPersistence } from '../../../src/adapters/redis/server/read-persistence.ts';
import { WorkerLease } from '../../../src/adapters/redis/worker-lease.ts';
import type { WorkerRecord } from '../../../src/batches/worker-registry.ts';
import { type RedisServer, startRedisServer } from '../../helpers/redis-server.ts';
import { Cluster } from './fixture.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server?.stop());

const RECORD: WorkerRecord = {
  host: 'mill-1',
  pid: 42,
  version: '1.2.3',
  configHash: 'abc',
  workflows: ['triage'],
  startedAt: 1_000,
  slices: [],
};

test('a worker is seen from its start to its end, with what it has in progress at its last sign of life', async () => {
  const cluster = new Cluster(await server.connect());
  const workers = new RedisWorkerRegistry(cluster.redis, cluster.keys);
  expect(await workers.live()).toEqual([]);
  const lease = new WorkerLease(cluster.redis, cluster.keys, 60_000);
  let slices: WorkerRecord['slices'] = [];
  await lease.start(() => ({ ...RECORD, slices }));
  expect(await workers.live()).toMatchObject([{ ...RECORD, id: lease.workerId }]);
  slices = [{ batch: 'b', workflow: 'triage', slice: 3 }];
  await lease.renew();
  const [worker] = await workers.live();
  expect(worker).toMatchObject({ slices });
  expect(worker?.heartbeatAgeMs).toBeLessThan(30_000);
  await cluster.redis.zincrby(cluster.keys.workers, -40_000, lease.workerId);
  expect((await workers.live())[0]?.heartbeatAgeMs).toBeGreaterThanOrEqual(40_000);
  await lease.stop();
  expect(await workers.live()).toEqual([]);
  await cluster.stop();
});

test('a lease that no worker holds is no worker, until a worker shares it', async () => {
  const cluster = new Cluster(await server.connect());
  const workers = new RedisWorkerRegistry(cluster.redis, cluster.keys);
  const lease = new WorkerLease(cluster.redis, cluster.keys, 60_000);
  await lease.start();
  expect(await workers.live()).toEqual([]);
  await lease.start(() => RECORD);
  expect(await workers.live()).toHaveLength(1);
  await lease.stop();
  await lease.stop();
  await cluster.stop();
});

test('a killed worker is alive no longer than its lease, and the next one to start clears up after it', async () => {
  const cluster = new Cluster(await server.connect());
  const workers = new RedisWorkerRegistry(cluster.redis, cluster.keys);
  const killed = new WorkerLease(cluster.redis, cluster.keys, 60_000);
  await killed.start(() => RECORD);
  await cluster.endLease(killed.workerId);
  expect(await workers.live()).toEqual([]);
  const next = new WorkerLease(cluster.redis, cluster.keys, 60_000);
  await next.start(() => RECORD);
  expect(await cluster.redis.hkeys(cluster.keys.workerRecords)).toEqual([next.workerId]);
  await next.stop();
  await cluster.stop();
});

test('what a server writes to its disk is read from its settings, and unknown where it does not tell', async () => {
  const redis = await server.connect();
  expect(await readPersistence(redis)).toBe('nothing');
  await redis.config('SET', 'save', '60 1');
  expect(await readPersistence(redis)).toBe('snapshots');
  await redis.config('SET', 'appendonly', 'yes');
  expect(await readPersistence(redis)).toBe('append-only file');
  await redis.config('SET', 'appendonly', 'no');
  await redis.acl('SETUSER', 'default', '-config');
  expect(await readPersistence(redis)).toBe('unknown');
  await redis.acl('SETUSER', 'default', '+config');
  await redis.config('SET', 'save', '');
});
