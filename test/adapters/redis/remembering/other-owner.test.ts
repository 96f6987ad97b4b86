import { expect, test } from 'vitest';
import type { SliceClaim } from '../../../../src/ledger/ledger.ts';
import { batchScope } from '../../../../src/ledger/scope.ts';
import { commitOf, entryOf, ticketOf } from '../../../contract/cluster.ts';
import { useOwnServer } from '../own-server.ts';

const own = useOwnServer();

/** The server comes back without its last writes, and another worker takes the slice twice before the first one notices. */
async function restartUnderAnotherOwner({ batchId, slice }: SliceClaim) {
  await own.restart();
  await own.cluster.claim(batchId, slice);
  const claim = await own.cluster.claim(batchId, slice);
  const { ledger } = await own.cluster.worker();
  return {
    claim,
    ledger,
    async buy(callKey: string, cost: number): Promise<void> {
      const ticket = ticketOf(claim, 500, { callKey });
      await ledger.admit(ticket);
      await ledger.settle(ticket, { kind: 'reply', entry: entryOf(cost) });
    },
    async commit(): Promise<void> {
      await own.cluster.batches.commitSlice(batchId, slice, claim.token, commitOf(claim.token));
    },
  };
}

test('restoreIfRestarted() does not take a forgotten claim back from another owner, and leaves it a reply that is paid for', async () => {
  const { ledger, claim, ticket } = await own.forgettableReply();
  const other = await restartUnderAnotherOwner(claim);
  for (const restored of [1, 0]) {
    expect(await ledger.restoreIfRestarted()).toBe(restored);
    expect(await ledger.totals(batchScope(claim.batchId))).toMatchObject({ settled: 60, uncertain: 0, held: 0 });
    await own.cluster.redis.save();
    await own.restart();
  }
  expect(await other.ledger.admit(ticketOf(other.claim, 100, { callKey: ticket.callKey }))).toMatchObject({
    kind: 'replay',
  });
});

test('restoreIfRestarted() books a forgotten reply as uncertain where another owner has bought that answer meanwhile', async () => {
  const { ledger, claim, ticket } = await own.forgettableReply();
  const other = await restartUnderAnotherOwner(claim);
  await other.buy(ticket.callKey, 70);
  for (const restored of [1, 0]) {
    expect(await ledger.restoreIfRestarted()).toBe(restored);
    expect(await ledger.totals(batchScope(claim.batchId))).toMatchObject({ settled: 70, uncertain: 60, held: 0 });
    await own.cluster.redis.save();
    await own.restart();
  }
  expect(await ledger.uncertainCalls(claim.batchId)).toMatchObject([
    { callId: ticket.callId, cost: 60, reason: 'another reply to this call counts' },
  ]);
});

test('restoreIfRestarted() holds the money of a call in flight also where another owner has bought its answer', async () => {
  const { ledger, claim } = await own.rememberingWorker();
  await own.cluster.redis.save();
  const ticket = ticketOf(claim, 100);
  await ledger.admit(ticket);
  const other = await restartUnderAnotherOwner(claim);
  await other.buy(ticket.callKey, 70);
  expect(await ledger.restoreIfRestarted()).toBe(1);
  expect(await ledger.totals(batchScope(claim.batchId))).toMatchObject({ settled: 70, uncertain: 0, held: 100 });
  await ledger.settle(ticket, { kind: 'reply', entry: entryOf(60) });
  expect(await ledger.totals(batchScope(claim.batchId))).toMatchObject({ settled: 70, uncertain: 60, held: 0 });
  expect(await ledger.openCalls(claim.batchId)).toBe(0);
});

test('restoreIfRestarted() books what another owner’s commit cannot have counted, and no reply that it may have', async () => {
  const { ledger, claim } = await own.rememberingWorker();
  await own.cluster.redis.save();
  const [reply, uncertain, inFlight] = [ticketOf(claim, 100), ticketOf(claim, 200), ticketOf(claim, 400)];
  for (const ticket of [reply, uncertain, inFlight]) await ledger.admit(ticket);
  await ledger.settle(reply, { kind: 'reply', entry: entryOf(60) });
  await ledger.settle(uncertain, { kind: 'uncertain', reason: 'timeout' });
  const other = await restartUnderAnotherOwner(claim);
  await other.commit();
  expect(await ledger.restoreIfRestarted()).toBe(2);
  expect(await ledger.totals(batchScope(claim.batchId))).toMatchObject({ settled: 0, uncertain: 200, held: 400 });
  await ledger.settle(inFlight, { kind: 'reply', entry: entryOf(300) });
  expect(await ledger.totals(batchScope(claim.batchId))).toMatchObject({ settled: 0, uncertain: 500, held: 0 });
  expect(await ledger.openCalls(claim.batchId)).toBe(0);
});
