import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RedisLedger } from '../../../src/adapters/redis/ledger.ts';
import { batchScope } from '../../../src/ledger/scope.ts';
import { replyOf, ticketOf } from '../../contract/cluster.ts';
import { type RedisServer, startRedisServer } from '../../helpers/redis-server.ts';
import { Cluster } from './fixture.ts';
import type { LeaseChildOrder } from './lease-child.ts';

const CHILD = fileURLToPath(new URL('lease-child.ts', import.meta.url));
const LEASE_MS = 400;

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server?.stop());

test('a process that is stopped for longer than its lease loses its holds once and continues under another id', async () => {
  const cluster = new Cluster(await server.connect());
  const survivor = await cluster.worker();
  const claim = await cluster.claim(await cluster.queuedBatch());
  const child = await startChild(cluster);
  try {
    const [answered, lost] = [ticketOf(claim, 70), ticketOf(claim, 30)];
    const { workerId: formerId } = await ask(child, { do: 'admit', ticket: answered });
    await ask(child, { do: 'admit', ticket: lost });
    expect(await survivor.ledger.reapDeadWorkers()).toBe(0);

    child.kill('SIGSTOP');
    await expect.poll(() => survivor.ledger.reapDeadWorkers(), { interval: 50, timeout: 10_000 }).toBe(2);
    expect(await survivor.ledger.reapDeadWorkers()).toBe(0);
    const scope = batchScope(claim.batchId);
    expect(await survivor.ledger.totals(scope)).toEqual({ settled: 0, uncertain: 100, held: 0 });

    child.kill('SIGCONT');
    const late = await ask(child, { do: 'settle', ticket: answered, outcome: replyOf(25) });
    expect(late.result).toEqual({ kind: 'settled' });
    expect(await survivor.ledger.totals(scope)).toEqual({ settled: 25, uncertain: 30, held: 0 });
    expect(await survivor.ledger.uncertainCalls(claim.batchId)).toMatchObject([{ callId: lost.callId, cost: 30 }]);

    const again = await ask(child, { do: 'admit', ticket: ticketOf(claim, 5) });
    expect(again.result).toEqual({ kind: 'admitted' });
    expect(again.workerId).not.toBe(formerId);
    expect(await cluster.redis.hlen(cluster.keys.holds(formerId))).toBe(0);
    expect(await cluster.redis.hlen(cluster.keys.holds(again.workerId))).toBe(1);
  } finally {
    child.kill('SIGKILL');
    await cluster.stop();
  }
});

test('a lease that has ended admits nothing under its id, not even when its entry is gone', async () => {
  const cluster = new Cluster(await server.connect());
  const { lease, claim } = await cluster.workerWithSlice();
  const noRenewal = new Error('no renewal');
  const stubborn = new RedisLedger(cluster.redis, cluster.keys, {
    workerId: lease.workerId,
    renew: () => Promise.reject(noRenewal),
  });
  expect(await stubborn.admit(ticketOf(claim, 5))).toEqual({ kind: 'admitted' });
  await cluster.endLease(lease.workerId);
  await expect(stubborn.admit(ticketOf(claim, 5))).rejects.toBe(noRenewal);
  await cluster.redis.zrem(cluster.keys.workers, lease.workerId);
  await expect(stubborn.admit(ticketOf(claim, 5))).rejects.toBe(noRenewal);
  expect((await stubborn.totals(batchScope(claim.batchId))).held).toBe(5);
  await cluster.stop();
});

test('renew() prolongs a lease that stands and never revives one that has ended', async () => {
  const cluster = new Cluster(await server.connect());
  const { lease } = await cluster.worker();
  const formerId = lease.workerId;
  const end = async () => Number(await cluster.redis.zscore(cluster.keys.workers, formerId));
  await cluster.redis.zincrby(cluster.keys.workers, -5_000, formerId);
  const before = await end();
  await lease.renew();
  expect(lease.workerId).toBe(formerId);
  expect(await end()).toBeGreaterThan(before + 4_000);
  await cluster.endLease(formerId);
  await Promise.all([lease.renew(), lease.renew()]);
  expect(lease.workerId).not.toBe(formerId);
  expect(await end()).toBe(1);
  expect(await cluster.redis.zcard(cluster.keys.workers)).toBe(2);
  await cluster.stop();
});

test('stop() ends a lease at once, so that what is still held is booked without waiting', async () => {
  const cluster = new Cluster(await server.connect());
  const { lease, ledger, claim } = await cluster.workerWithSlice();
  await ledger.admit(ticketOf(claim, 8));
  await lease.stop();
  const other = await cluster.worker();
  expect(await other.ledger.reapDeadWorkers()).toBe(1);
  expect((await ledger.totals(batchScope(claim.batchId))).uncertain).toBe(8);
  await cluster.stop();
});

test('a worker with a short lease keeps it while its process runs', async () => {
  const cluster = new Cluster(await server.connect());
  const { lease, ledger } = await cluster.worker(120);
  const formerId = lease.workerId;
  const first = Number(await cluster.redis.zscore(cluster.keys.workers, formerId));
  const end = async () => Number(await cluster.redis.zscore(cluster.keys.workers, formerId));
  await expect.poll(end, { interval: 20, timeout: 10_000 }).toBeGreaterThan(first + 200);
  expect(lease.workerId).toBe(formerId);
  expect(await ledger.reapDeadWorkers()).toBe(0);
  await cluster.stop();
});

async function startChild(cluster: Cluster): Promise<ChildProcess> {
  const child = fork(CHILD, [server.url, cluster.prefix, String(LEASE_MS)]);
  await once(child, 'message');
  return child;
}

async function ask(child: ChildProcess, order: LeaseChildOrder): Promise<{ result: unknown; workerId: string }> {
  child.send(order);
  const [answer] = await once(child, 'message');
  return answer;
}
