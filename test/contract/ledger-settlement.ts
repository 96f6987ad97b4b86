import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ReapedCall } from '../../src/ledger/ledger.ts';
import {
  type ContractCluster,
  commitOf,
  DAY,
  entryOf,
  GLOBAL_DAY,
  replyOf,
  scopesOfTest,
  ticketOf,
} from './cluster.ts';

const NOTHING = { settled: 0, uncertain: 0, held: 0 };
const everyScope = (totals: Partial<typeof NOTHING>) => Array(4).fill({ ...NOTHING, ...totals });

/** What settling, reaping and limits promise, on any adapter. */
export function testSettlement(open: () => Promise<ContractCluster>): void {
  let cluster: ContractCluster;

  beforeEach(async () => {
    cluster = await open();
  });
  afterEach(() => cluster.stop());

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
          callKey: first.callKey,
        });
        expect(await cluster.totals(ledger, claim)).toEqual(everyScope({ settled: 31, uncertain: 40 }));
        expect(await ledger.uncertainCalls(claim.batchId)).toMatchObject([
          { callId: second.callId, cost: 40, reason: 'another reply to this call counts' },
        ]);
      }
    });

    test('of two replies to one question from two providers the first counts', async () => {
      const { ledger, claim } = await cluster.workerWithSlice();
      const small = ticketOf(claim, 90, { callKey: 'small', otherKeys: ['spare'] });
      await ledger.admit(small);
      const next = await cluster.claim(claim.batchId);
      const spare = ticketOf(next, 90, { callKey: 'spare', otherKeys: ['small'] });
      await ledger.admit(spare);
      expect(await ledger.settle(small, replyOf(31, 'the first'))).toEqual({ kind: 'fenced' });
      expect(await ledger.settle(spare, replyOf(40, 'the second'))).toEqual({
        kind: 'duplicate',
        entry: entryOf(31, 'the first'),
        callKey: 'small',
      });
      expect(await cluster.totals(ledger, claim)).toEqual(everyScope({ settled: 31, uncertain: 40 }));
      expect([...(await ledger.journal(claim.batchId, 0)).keys()]).toEqual(['small']);
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
      const told: ReapedCall[] = [];
      const tell = (call: ReapedCall) => told.push(call);
      const booked = await Promise.all([other.ledger.reapDeadWorkers(tell), other.ledger.reapDeadWorkers(tell)]);
      expect(booked[0] + booked[1]).toBe(2);
      expect(told.sort((a, b) => a.cost - b.cost)).toEqual(
        lost.map(({ hold }) => ({ batchId: claim.batchId, worker: lease.workerId, cost: hold })),
      );
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
      const kept = { entry: entryOf(6, 'new'), callKey: late.callKey };
      expect(await ledger.settle(late, replyOf(4, 'late'))).toEqual({ kind: 'duplicate', ...kept });
      expect(await cluster.totals(ledger, claim)).toEqual(everyScope({ settled: 6, uncertain: 4 }));
      expect(await ledger.uncertainCalls(claim.batchId)).toMatchObject([{ callId: late.callId, cost: 4 }]);
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
}
