import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { batchScope } from '../../../src/ledger/scope.ts';
import { type RedisServer, startRedisServer } from '../../helpers/redis-server.ts';
import { Cluster, commitOf, DAY, entryOf, GLOBAL_DAY, MONTH, replyOf, scopesOfTest, ticketOf } from './fixture.ts';

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

const NOTHING = { settled: 0, uncertain: 0, held: 0 };
const everyScope = (totals: Partial<typeof NOTHING>) => Array(4).fill({ ...NOTHING, ...totals });

describe('admit()', () => {
  test('admit() holds the amount in every scope of the ticket', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    expect(await ledger.admit(ticketOf(claim, 1_234))).toEqual({ kind: 'admitted' });
    expect(await cluster.totals(ledger, claim)).toEqual(everyScope({ held: 1_234 }));
    expect(await ledger.openCalls(claim.batchId)).toBe(1);
  });

  test('admit() twice with one call id holds once', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const ticket = ticketOf(claim, 70);
    expect(await Promise.all([ledger.admit(ticket), ledger.admit(ticket)])).toEqual([
      { kind: 'admitted' },
      { kind: 'admitted' },
    ]);
    expect(await cluster.totals(ledger, claim)).toEqual(everyScope({ held: 70 }));
    expect(await ledger.openCalls(claim.batchId)).toBe(1);
  });

  test('admit() answers with a reply to the same question from another provider, and says under which key it stands', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const paid = ticketOf(claim, 30, { callKey: 'at the stand-in' });
    await ledger.admit(paid);
    await ledger.settle(paid, replyOf(20));
    expect(await ledger.admit(ticketOf(claim, 30, { otherKeys: ['elsewhere', 'at the stand-in'] }))).toEqual({
      kind: 'replay',
      entry: entryOf(20),
      callKey: 'at the stand-in',
    });
    expect(await ledger.admit(ticketOf(claim, 30, { otherKeys: ['elsewhere'] }))).toEqual({ kind: 'admitted' });
  });

  test('admit() fills a limit to the last unit and refuses one unit more', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    await ledger.setLimit(MONTH.name, 100);
    expect(await ledger.admit(ticketOf(claim, 100))).toEqual({ kind: 'admitted' });
    expect(await ledger.admit(ticketOf(claim, 1))).toEqual({
      kind: 'refused',
      refusal: { scope: MONTH.name, limit: 100, settled: 0, uncertain: 0, held: 100 },
    });
  });

  test('a refusal names the first scope that does not fit, with its amounts, and books nothing anywhere', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const settled = ticketOf(claim, 50);
    const lost = ticketOf(claim, 7);
    for (const ticket of [settled, lost, ticketOf(claim, 11)]) await ledger.admit(ticket);
    await ledger.settle(settled, replyOf(23));
    await ledger.settle(lost, { kind: 'uncertain', reason: 'timeout' });
    await ledger.setLimit(batchScope(claim.batchId).name, 1_000);
    await ledger.setLimit(DAY.name, 60);
    await ledger.setLimit(GLOBAL_DAY.name, 45);
    const before = await cluster.totals(ledger, claim);
    const amounts = { settled: 23, uncertain: 7, held: 11 };
    expect(await ledger.admit(ticketOf(claim, 20))).toEqual({
      kind: 'refused',
      refusal: { scope: DAY.name, limit: 60, ...amounts },
    });
    expect(await ledger.admit(ticketOf(claim, 19))).toEqual({
      kind: 'refused',
      refusal: { scope: GLOBAL_DAY.name, limit: 45, ...amounts },
    });
    expect(await cluster.totals(ledger, claim)).toEqual(before);
    expect(await ledger.openCalls(claim.batchId)).toBe(1);
    expect(await ledger.admit(ticketOf(claim, 4))).toEqual({ kind: 'admitted' });
  });

  test('admit() of a hundred calls at once on two workers admits exactly what fits', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const other = await cluster.worker();
    await ledger.setLimit(GLOBAL_DAY.name, 1_000);
    const admissions = await Promise.all(
      Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? ledger : other.ledger).admit(ticketOf(claim, 30))),
    );
    expect(admissions.filter((admission) => admission.kind === 'admitted')).toHaveLength(33);
    expect((await ledger.totals(GLOBAL_DAY)).held).toBe(990);
  });

  test('admit() answers with the paid reply where the journal has one, and holds nothing', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const ticket = ticketOf(claim, 50);
    await ledger.admit(ticket);
    await ledger.settle(ticket, replyOf(20, 'long '.repeat(400)));
    const again = ticketOf(claim, 50, { callKey: ticket.callKey });
    expect(await ledger.admit(again)).toEqual({
      kind: 'replay',
      entry: entryOf(20, 'long '.repeat(400)),
      callKey: again.callKey,
    });
    expect(await cluster.totals(ledger, claim)).toEqual(everyScope({ settled: 20 }));
    expect(await ledger.openCalls(claim.batchId)).toBe(0);
  });

  test.each([0, 30])(
    'an admission of %d sent again after a former owner has delivered the reply gives its hold back',
    async (hold) => {
      const { ledger, claim } = await cluster.workerWithSlice();
      const former = ticketOf(claim, 50);
      await ledger.admit(former);
      const again = ticketOf(await cluster.claim(claim.batchId), hold, { callKey: former.callKey });
      await ledger.admit(again);
      await ledger.settle(former, replyOf(20));
      expect(await ledger.admit(again)).toEqual({ kind: 'replay', entry: entryOf(20), callKey: again.callKey });
      expect(await cluster.totals(ledger, claim)).toEqual(everyScope({ settled: 20 }));
      expect(await ledger.openCalls(claim.batchId)).toBe(0);
    },
  );

  test('an admission sent again after the slice got a new owner is fenced and gives its hold back', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const ticket = ticketOf(claim, 50);
    await ledger.admit(ticket);
    await cluster.claim(claim.batchId);
    expect(await ledger.admit(ticket)).toEqual({ kind: 'fenced' });
    expect(await cluster.totals(ledger, claim)).toEqual(everyScope({}));
    expect(await ledger.openCalls(claim.batchId)).toBe(0);
  });

  test('admit() with the token of a former owner is fenced, and so are an unknown batch and a committed slice', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const newOwner = await cluster.claim(claim.batchId);
    expect(await ledger.admit(ticketOf(claim, 5))).toEqual({ kind: 'fenced' });
    expect(await ledger.admit(ticketOf({ ...claim, batchId: 'unknown' }, 5))).toEqual({ kind: 'fenced' });
    await cluster.batches.commitSlice(claim.batchId, 0, newOwner.token, commitOf(newOwner.token));
    expect(await ledger.admit(ticketOf(newOwner, 5))).toEqual({ kind: 'fenced' });
    expect(await cluster.totals(ledger, claim)).toEqual(everyScope({}));
  });

  test('admit() of a worker whose lease has ended goes on under a new worker id', async () => {
    const { ledger, lease, claim } = await cluster.workerWithSlice();
    const formerId = lease.workerId;
    await cluster.endLease(formerId);
    const admissions = await Promise.all(Array.from({ length: 5 }, () => ledger.admit(ticketOf(claim, 10))));
    expect(admissions).toEqual(Array(5).fill({ kind: 'admitted' }));
    expect(lease.workerId).not.toBe(formerId);
    expect(await cluster.redis.hlen(cluster.keys.holds(formerId))).toBe(0);
    expect(await cluster.redis.hlen(cluster.keys.holds(lease.workerId))).toBe(5);
  });

  test('an admission sent again after the lease has ended finds its hold and makes no second one', async () => {
    const { ledger, lease, claim } = await cluster.workerWithSlice();
    const ticket = ticketOf(claim, 40);
    await ledger.admit(ticket);
    await cluster.endLease(lease.workerId);
    expect(await ledger.admit(ticket)).toEqual({ kind: 'admitted' });
    expect(await cluster.totals(ledger, claim)).toEqual(everyScope({ held: 40 }));
    await ledger.settle(ticket, replyOf(15));
    await ledger.reapDeadWorkers();
    expect(await cluster.totals(ledger, claim)).toEqual(everyScope({ settled: 15 }));
    expect(await ledger.openCalls(claim.batchId)).toBe(0);
  });

  test('an admission sent again after its hold was reaped is booked once in the end', async () => {
    const { ledger, lease, claim } = await cluster.workerWithSlice();
    const other = await cluster.worker();
    const [answered, lost] = [ticketOf(claim, 40), ticketOf(claim, 60)];
    for (const ticket of [answered, lost]) await ledger.admit(ticket);
    await cluster.endLease(lease.workerId);
    expect(await other.ledger.reapDeadWorkers()).toBe(2);
    for (const ticket of [answered, lost]) expect(await ledger.admit(ticket)).toEqual({ kind: 'admitted' });
    await ledger.settle(answered, replyOf(15));
    await cluster.endLease(lease.workerId);
    await other.ledger.reapDeadWorkers();
    expect(await cluster.totals(ledger, claim)).toEqual(everyScope({ settled: 15, uncertain: 60 }));
    expect(await ledger.uncertainCalls(claim.batchId)).toMatchObject([{ callId: lost.callId, cost: 60 }]);
    expect(await ledger.openCalls(claim.batchId)).toBe(0);
  });
});

describe('settle()', () => {
  test('settle() of a reply books its cost, returns the rest of the hold and stores the reply', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const ticket = ticketOf(claim, 90);
    await ledger.admit(ticket);
    expect(await ledger.settle(ticket, replyOf(31))).toEqual({ kind: 'settled' });
    expect(await cluster.totals(ledger, claim)).toEqual(everyScope({ settled: 31 }));
    expect(await ledger.journal(claim.batchId, 0)).toEqual(new Map([[ticket.callKey, entryOf(31)]]));
    expect(await ledger.uncertainCalls(claim.batchId)).toEqual([]);
  });

  test('settle() of a released call leaves nothing booked', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const ticket = ticketOf(claim, 90);
    await ledger.admit(ticket);
    expect(await ledger.settle(ticket, { kind: 'released' })).toEqual({ kind: 'settled' });
    expect(await cluster.totals(ledger, claim)).toEqual(everyScope({}));
    expect(await ledger.openCalls(claim.batchId)).toBe(0);
    expect(await ledger.uncertainCalls(claim.batchId)).toEqual([]);
  });

  test('settle() of an uncertain call books the whole hold and lists the call', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const ticket = ticketOf(claim, 90);
    await ledger.admit(ticket);
    expect(await ledger.settle(ticket, { kind: 'uncertain', reason: 'timeout' })).toEqual({ kind: 'settled' });
    expect(await cluster.totals(ledger, claim)).toEqual(everyScope({ uncertain: 90 }));
    expect(await ledger.uncertainCalls(claim.batchId)).toEqual([
      { callId: ticket.callId, model: 'small', slice: 0, cost: 90, reason: 'timeout' },
    ]);
  });

  test.each([
    ['a reply', replyOf(31), { settled: 31 }],
    ['a release', { kind: 'released' }, {}],
    ['an uncertain end', { kind: 'uncertain', reason: 'timeout' }, { uncertain: 90 }],
  ] as const)('settle() of %s counts once when it is sent again', async (_, outcome, totals) => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const ticket = ticketOf(claim, 90);
    await ledger.admit(ticket);
    const settlements = await Promise.all([ledger.settle(ticket, outcome), ledger.settle(ticket, outcome)]);
    expect(settlements).toEqual([{ kind: 'settled' }, { kind: 'settled' }]);
    expect(await cluster.totals(ledger, claim)).toEqual(everyScope(totals));
    expect(await ledger.openCalls(claim.batchId)).toBe(0);
  });

  test('of two replies to one request the first counts and the second is booked as uncertain, also when sent again', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const first = ticketOf(claim, 90);
    const second = ticketOf(claim, 90, { callKey: first.callKey });
    for (const ticket of [first, second]) await ledger.admit(ticket);
    await ledger.settle(first, replyOf(31, 'the first'));
    for (let sent = 0; sent < 2; sent += 1) {
      expect(await ledger.settle(second, replyOf(40, 'the second'))).toEqual({
        kind: 'duplicate',
        entry: entryOf(31, 'the first'),
      });
      expect(await cluster.totals(ledger, claim)).toEqual(everyScope({ settled: 31, uncertain: 40 }));
      expect(await ledger.uncertainCalls(claim.batchId)).toMatchObject([
        { callId: second.callId, cost: 40, reason: 'another reply to this call counts' },
      ]);
    }
  });

  test('a reply of a former owner is booked and journalled, and the former owner is told that it is fenced', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const ticket = ticketOf(claim, 90);
    await ledger.admit(ticket);
    await cluster.claim(claim.batchId);
    expect(await ledger.settle(ticket, replyOf(31))).toEqual({ kind: 'fenced' });
    expect(await cluster.totals(ledger, claim)).toEqual(everyScope({ settled: 31 }));
    expect((await ledger.journal(claim.batchId, 0)).size).toBe(1);
  });

  test('a reply to a slice that is committed is booked as uncertain at its cost, once', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const ticket = ticketOf(claim, 90);
    await ledger.admit(ticket);
    const newOwner = await cluster.claim(claim.batchId);
    await cluster.batches.commitSlice(claim.batchId, 0, newOwner.token, commitOf(newOwner.token));
    for (let sent = 0; sent < 2; sent += 1) {
      expect(await ledger.settle(ticket, replyOf(31))).toEqual({ kind: 'fenced' });
      expect(await cluster.totals(ledger, claim)).toEqual(everyScope({ uncertain: 31 }));
      expect(await ledger.uncertainCalls(claim.batchId)).toMatchObject([{ callId: ticket.callId, cost: 31 }]);
    }
    expect((await ledger.journal(claim.batchId, 0)).size).toBe(0);
  });

  test('a reply that arrives after the batch was sealed changes no books', async () => {
    const { ledger, lease, claim } = await cluster.workerWithSlice();
    const ticket = ticketOf(claim, 90);
    await ledger.admit(ticket);
    await cluster.endLease(lease.workerId);
    await ledger.reapDeadWorkers();
    const newOwner = await cluster.claim(claim.batchId);
    await cluster.batches.commitSlice(claim.batchId, 0, newOwner.token, commitOf(newOwner.token));
    expect(await cluster.batches.seal(claim.batchId)).toEqual({ kind: 'sealed' });
    for (const outcome of [replyOf(31), { kind: 'released' }, { kind: 'uncertain', reason: 'timeout' }] as const) {
      await ledger.settle(ticket, outcome);
      expect(await cluster.totals(ledger, claim)).toEqual(everyScope({ uncertain: 90 }));
      expect(await ledger.uncertainCalls(claim.batchId)).toMatchObject([{ callId: ticket.callId, cost: 90 }]);
    }
    expect((await ledger.journal(claim.batchId, 0)).size).toBe(0);
  });

  test('a call that cost more than its hold is booked at what it cost', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const ticket = ticketOf(claim, 10);
    await ledger.admit(ticket);
    await ledger.settle(ticket, replyOf(25));
    expect(await cluster.totals(ledger, claim)).toEqual(everyScope({ settled: 25 }));
  });

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

  test('calls that cost nothing pass a limit of zero and leave only their replies', async () => {
    const { ledger, lease, claim } = await cluster.workerWithSlice();
    await ledger.setLimit(GLOBAL_DAY.name, 0);
    const [answered, lost] = [ticketOf(claim, 0), ticketOf(claim, 0)];
    for (const ticket of [answered, lost]) expect(await ledger.admit(ticket)).toEqual({ kind: 'admitted' });
    expect(await ledger.admit(ticketOf(claim, 1))).toMatchObject({ kind: 'refused' });
    await ledger.settle(answered, replyOf(0));
    await cluster.endLease(lease.workerId);
    await ledger.reapDeadWorkers();
    expect((await ledger.journal(claim.batchId, 0)).size).toBe(1);
    expect(await ledger.uncertainCalls(claim.batchId)).toMatchObject([{ callId: lost.callId, cost: 0 }]);
    await ledger.settle(lost, replyOf(0));
    expect(await ledger.uncertainCalls(claim.batchId)).toEqual([]);
    expect((await cluster.totals(ledger, claim)).at(0)).toEqual(NOTHING);
    expect(await ledger.openCalls(claim.batchId)).toBe(0);
  });

  test('amounts near nine million dollars are exact to the last unit', async () => {
    const { ledger, lease, claim } = await cluster.workerWithSlice();
    const limit = 8_999_999_999_999_999;
    await ledger.setLimit(DAY.name, limit);
    const [first, second] = [ticketOf(claim, 4_499_999_999_999_999), ticketOf(claim, 4_500_000_000_000_000)];
    expect(await ledger.admit(first)).toEqual({ kind: 'admitted' });
    expect(await ledger.admit(ticketOf(claim, 4_500_000_000_000_001))).toMatchObject({
      kind: 'refused',
      refusal: { limit, held: 4_499_999_999_999_999 },
    });
    expect(await ledger.admit(second)).toEqual({ kind: 'admitted' });
    expect(await ledger.admit(ticketOf(claim, limit))).toMatchObject({ kind: 'refused', refusal: { held: limit } });
    await ledger.settle(first, replyOf(4_499_999_999_999_997));
    await cluster.endLease(lease.workerId);
    await ledger.reapDeadWorkers();
    const totals = { settled: 4_499_999_999_999_997, uncertain: 4_500_000_000_000_000, held: 0 };
    expect(await ledger.totals(DAY)).toEqual({ ...totals, limit });
    await ledger.settle(second, replyOf(4_499_999_999_999_999));
    expect(await ledger.totals(DAY)).toEqual({ settled: 8_999_999_999_999_996, uncertain: 0, held: 0, limit });
  });
});

describe('reapDeadWorkers()', () => {
  test('the holds of a dead worker are booked as uncertain once, and those of live workers stay', async () => {
    const { ledger, lease, claim } = await cluster.workerWithSlice();
    const other = await cluster.worker();
    const lost = [ticketOf(claim, 11), ticketOf(claim, 13)];
    for (const ticket of lost) await ledger.admit(ticket);
    await other.ledger.admit(ticketOf(claim, 100));
    expect(await other.ledger.reapDeadWorkers()).toBe(0);
    await cluster.endLease(lease.workerId);
    const booked = await Promise.all([other.ledger.reapDeadWorkers(), other.ledger.reapDeadWorkers()]);
    expect(booked[0] + booked[1]).toBe(2);
    expect(await cluster.totals(ledger, claim)).toEqual(everyScope({ uncertain: 24, held: 100 }));
    expect(await ledger.openCalls(claim.batchId)).toBe(1);
    const calls = await ledger.uncertainCalls(claim.batchId);
    expect([...calls].sort((a, b) => a.cost - b.cost)).toEqual(
      lost.map(({ callId, hold }) => ({ callId, model: 'small', slice: 0, cost: hold, reason: 'its worker died' })),
    );
  });

  test.each([
    ['a reply', replyOf(5), { settled: 5 }, 1],
    ['a release', { kind: 'released' }, {}, 0],
    ['an uncertain end', { kind: 'uncertain', reason: 'timeout' }, { uncertain: 11 }, 0],
  ] as const)('%s that is settled late corrects what a reaper has booked', async (_, outcome, totals, replies) => {
    const { ledger, lease, claim } = await cluster.workerWithSlice();
    const ticket = ticketOf(claim, 11);
    await ledger.admit(ticket);
    await cluster.endLease(lease.workerId);
    await ledger.reapDeadWorkers();
    expect(await cluster.totals(ledger, claim)).toEqual(everyScope({ uncertain: 11 }));
    for (let sent = 0; sent < 2; sent += 1) {
      expect(await ledger.settle(ticket, outcome)).toEqual({ kind: 'settled' });
      expect(await cluster.totals(ledger, claim)).toEqual(everyScope(totals));
    }
    expect((await ledger.journal(claim.batchId, 0)).size).toBe(replies);
    expect(await ledger.uncertainCalls(claim.batchId)).toHaveLength(outcome.kind === 'uncertain' ? 1 : 0);
    expect(await ledger.openCalls(claim.batchId)).toBe(0);
  });

  test('a late reply to a request that the new owner has bought meanwhile is a duplicate', async () => {
    const { ledger, lease, claim } = await cluster.workerWithSlice();
    const late = ticketOf(claim, 11);
    await ledger.admit(late);
    await cluster.endLease(lease.workerId);
    await ledger.reapDeadWorkers();
    const other = await cluster.worker();
    const again = ticketOf(await cluster.claim(claim.batchId), 11, { callKey: late.callKey });
    await other.ledger.admit(again);
    await other.ledger.settle(again, replyOf(6, 'new'));
    expect(await ledger.settle(late, replyOf(4, 'late'))).toEqual({ kind: 'duplicate', entry: entryOf(6, 'new') });
    expect(await cluster.totals(ledger, claim)).toEqual(everyScope({ settled: 6, uncertain: 4 }));
    expect(await ledger.uncertainCalls(claim.batchId)).toMatchObject([{ callId: late.callId, cost: 4 }]);
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
});

describe('limits', () => {
  test('a limit raised or lowered while work runs counts from the next admission on', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    await ledger.setLimit(DAY.name, 10);
    expect(await ledger.admit(ticketOf(claim, 10))).toEqual({ kind: 'admitted' });
    expect(await ledger.admit(ticketOf(claim, 5))).toMatchObject({ kind: 'refused', refusal: { limit: 10 } });
    await ledger.setLimit(DAY.name, 15);
    expect(await ledger.admit(ticketOf(claim, 5))).toEqual({ kind: 'admitted' });
    await ledger.setLimit(DAY.name, 3);
    expect(await ledger.admit(ticketOf(claim, 0))).toMatchObject({
      kind: 'refused',
      refusal: { scope: DAY.name, limit: 3, held: 15 },
    });
    expect(await ledger.totals(DAY)).toEqual({ settled: 0, uncertain: 0, held: 15, limit: 3 });
  });

  test('a limit set by command outranks every config until it is cleared', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const config = (limit: number | undefined) => ledger.applyConfigLimits(new Map([[DAY.name, limit]]), 'replace');
    await config(100);
    expect(await ledger.limit(DAY.name)).toBe(100);
    await ledger.setLimit(DAY.name, 20);
    await config(90);
    expect(await ledger.limit(DAY.name)).toBe(20);
    expect(await ledger.admit(ticketOf(claim, 21))).toMatchObject({ kind: 'refused', refusal: { limit: 20 } });
    await ledger.clearLimit(DAY.name);
    expect(await ledger.limit(DAY.name)).toBe(90);
    expect(await ledger.admit(ticketOf(claim, 21))).toEqual({ kind: 'admitted' });
    await config(undefined);
    expect(await ledger.limit(DAY.name)).toBeUndefined();
  });

  test('a config that only fills changes no limit that another one has stated, and names it', async () => {
    const { ledger } = await cluster.workerWithSlice();
    expect(await ledger.applyConfigLimits(new Map([[DAY.name, 100]]), 'fill')).toEqual([]);
    expect(await ledger.applyConfigLimits(new Map([[DAY.name, 5_000]]), 'fill')).toEqual([DAY.name]);
    expect(await ledger.applyConfigLimits(new Map([[DAY.name, undefined]]), 'fill')).toEqual([DAY.name]);
    expect(await ledger.limit(DAY.name)).toBe(100);
    expect(await ledger.applyConfigLimits(new Map([[DAY.name, 5_000]]), 'replace')).toEqual([DAY.name]);
    expect(await ledger.limit(DAY.name)).toBe(5_000);
  });

  test('a limit of another scope or period does not count', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    await ledger.setLimit('batch:other', 0);
    await ledger.setLimit(DAY.name, 10);
    await ledger.admit(ticketOf(claim, 10));
    const tomorrow = { ...DAY, period: '2026-03-02' };
    const scopes = scopesOfTest(claim.batchId).map((scope) => (scope === DAY ? tomorrow : scope));
    expect(await ledger.admit(ticketOf(claim, 10, { scopes }))).toEqual({ kind: 'admitted' });
    expect((await ledger.totals(DAY)).held).toBe(10);
    expect((await ledger.totals(tomorrow)).held).toBe(10);
  });
});
