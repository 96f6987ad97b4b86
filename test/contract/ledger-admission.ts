import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { batchScope } from '../../src/ledger/scope.ts';
import { type ContractCluster, commitOf, DAY, entryOf, GLOBAL_DAY, MONTH, replyOf, ticketOf } from './cluster.ts';

const NOTHING = { settled: 0, uncertain: 0, held: 0 };
const everyScope = (totals: Partial<typeof NOTHING>) => Array(4).fill({ ...NOTHING, ...totals });

/** What `Ledger.admit()` promises, on any adapter. */
export function testAdmission(open: () => Promise<ContractCluster>): void {
  let cluster: ContractCluster;

  beforeEach(async () => {
    cluster = await open();
  });
  afterEach(() => cluster.stop());

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

    test('admit() of a worker whose lease has ended continues under a new worker id', async () => {
      const { ledger, lease, claim } = await cluster.workerWithSlice();
      const formerId = lease.workerId;
      await cluster.endLease(formerId);
      const admissions = await Promise.all(Array.from({ length: 5 }, () => ledger.admit(ticketOf(claim, 10))));
      expect(admissions).toEqual(Array(5).fill({ kind: 'admitted' }));
      expect(lease.workerId).not.toBe(formerId);
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
}
