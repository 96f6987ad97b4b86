import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { batchScope } from '../../../src/ledger/scope.ts';
import { replyOf, scopesOfTest, ticketOf } from '../../contract/cluster.ts';
import { testAdmission } from '../../contract/ledger-admission.ts';
import { testSettlement } from '../../contract/ledger-settlement.ts';
import { type RedisServer, startRedisServer } from '../../helpers/redis-server.ts';
import { Cluster } from './fixture.ts';

let server: RedisServer;

beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server?.stop());

testAdmission(async () => new Cluster(await server.connect()));
testSettlement(async () => new Cluster(await server.connect()));

describe('RedisLedger', () => {
  let cluster: Cluster;

  beforeEach(async () => {
    cluster = new Cluster(await server.connect());
  });
  afterEach(() => cluster.stop());

  const NOTHING = { settled: 0, uncertain: 0, held: 0 };
  const everyScope = (totals: Partial<typeof NOTHING>) => Array(4).fill({ ...NOTHING, ...totals });

  test('a reply whose hold the server has forgotten is booked and journalled once', async () => {
    const { ledger, lease, claim } = await cluster.workerWithSlice();
    const ticket = ticketOf(claim, 90);
    await ledger.admit(ticket);
    const scopes = scopesOfTest(claim.batchId).map(({ name, period }) => cluster.keys.scope(name, period));
    await cluster.redis.del(cluster.keys.holds(lease.workerId), ...scopes);
    for (let sent = 0; sent < 2; sent += 1) {
      expect(await ledger.settle(ticket, replyOf(31))).toEqual({ kind: 'settled' });
      expect(await cluster.totals(ledger, claim)).toEqual(everyScope({ settled: 31 }));
    }
    expect((await ledger.journal(claim.batchId, 0)).size).toBe(1);
  });

  test('a worker is forgotten only when its lease ended long ago and it holds nothing', async () => {
    const { ledger } = await cluster.workerWithSlice();
    const [idle, busy] = [await cluster.workerWithSlice(), await cluster.workerWithSlice()];
    await busy.ledger.admit(ticketOf(busy.claim, 9));
    await cluster.redis.zadd(cluster.keys.workers, 0, idle.lease.workerId, 1, busy.lease.workerId);
    // A process that is killed between two steps of its round leaves the rest to the next one.
    const interrupted = new Error('killed');
    const hgetall = cluster.redis.hgetall.bind(cluster.redis);
    cluster.redis.hgetall = ((key: string) =>
      key === cluster.keys.holds(busy.lease.workerId) ? Promise.reject(interrupted) : hgetall(key)) as never;
    await expect(ledger.reapDeadWorkers()).rejects.toBe(interrupted);
    cluster.redis.hgetall = hgetall as never;
    expect(await cluster.redis.zscore(cluster.keys.workers, busy.lease.workerId)).toBe('1');
    expect(await ledger.reapDeadWorkers()).toBe(1);
    expect((await ledger.totals(batchScope(busy.claim.batchId))).uncertain).toBe(9);
    expect(await cluster.redis.zscore(cluster.keys.workers, idle.lease.workerId)).toBeNull();
    expect(await cluster.redis.zscore(cluster.keys.workers, busy.lease.workerId)).toBeNull();
  });

  test('a lease that ended a moment ago keeps its entry, so that its worker finds it ended', async () => {
    const { ledger, lease } = await cluster.workerWithSlice();
    const formerId = lease.workerId;
    const [seconds] = await cluster.redis.time();
    await cluster.redis.zadd(cluster.keys.workers, Number(seconds) * 1_000 - 1_000, formerId);
    await ledger.reapDeadWorkers();
    expect(await cluster.redis.zscore(cluster.keys.workers, formerId)).not.toBeNull();
    await lease.renew();
    expect(lease.workerId).not.toBe(formerId);
  });

  test('calls that are admitted after the lease has ended are filed under the new worker id', async () => {
    const { ledger, lease, claim } = await cluster.workerWithSlice();
    const formerId = lease.workerId;
    await cluster.endLease(formerId);
    await Promise.all(Array.from({ length: 5 }, () => ledger.admit(ticketOf(claim, 10))));
    expect(await cluster.redis.hlen(cluster.keys.holds(formerId))).toBe(0);
    expect(await cluster.redis.hlen(cluster.keys.holds(lease.workerId))).toBe(5);
  });

  test('a call whose journal cannot be read fails alone: its neighbours of the same turn are admitted and settled', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const broken = await cluster.claim(await cluster.queuedBatch());
    await cluster.redis.set(cluster.keys.journal(broken.batchId, 0), 'no hash');
    const [first, bad, second] = [ticketOf(claim, 10), ticketOf(broken, 20), ticketOf(claim, 30)];
    const admissions = await Promise.allSettled([first, bad, second].map((ticket) => ledger.admit(ticket)));
    expect(admissions.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await cluster.totals(ledger, claim)).toEqual(everyScope({ held: 40 }));
    const settlements = await Promise.allSettled(
      [first, bad, second].map((ticket) => ledger.settle(ticket, replyOf(5, ticket.callKey))),
    );
    expect(settlements.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await cluster.totals(ledger, claim)).toEqual(everyScope({ settled: 10 }));
    expect(await ledger.openCalls(claim.batchId)).toBe(0);
  });

  test('calls of one turn leave as one script, also those of several slices and workflows', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const other = { ...(await cluster.claim(await cluster.queuedBatch())), workflow: 'digest' };
    const tickets = [ticketOf(claim, 10), ticketOf(other, 20), ticketOf(claim, 30)];
    await ledger.admit(ticketOf(claim, 0));
    const calls = async () => Number(/cmdstat_evalsha:calls=(\d+)/.exec(await cluster.redis.info('commandstats'))?.[1]);
    const before = await calls();
    await Promise.all(tickets.map((ticket) => ledger.admit(ticket)));
    await Promise.all(tickets.map((ticket) => ledger.settle(ticket, replyOf(1))));
    expect((await calls()) - before).toBe(2);
  });

  test('a lease that stands again by the time its calls would be booked keeps them', async () => {
    const { ledger } = await cluster.workerWithSlice();
    const slow = await cluster.workerWithSlice();
    const { workerId } = slow.lease;
    await slow.ledger.admit(ticketOf(slow.claim, 9));
    await cluster.endLease(workerId);
    // Between the look at the leases and the script that books.
    const hgetall = cluster.redis.hgetall.bind(cluster.redis);
    cluster.redis.hgetall = (async (key: string) => {
      await cluster.redis.zadd(cluster.keys.workers, Date.now() + 60_000, workerId);
      return await hgetall(key);
    }) as never;
    expect(await ledger.reapDeadWorkers()).toBe(0);
    cluster.redis.hgetall = hgetall as never;
    expect(await ledger.totals(batchScope(slow.claim.batchId))).toMatchObject({ held: 9, uncertain: 0 });
  });
});
