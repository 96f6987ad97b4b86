import { expect, test, vi } from 'vitest';
import { RedisLedger } from '../../../../src/adapters/redis/ledger.ts';
import { RememberingLedger } from '../../../../src/adapters/redis/remembering/remembering-ledger.ts';
import { systemClock } from '../../../../src/adapters/system/system-clock.ts';
import { NightmillError } from '../../../../src/errors.ts';
import type { CallTicket, Outcome } from '../../../../src/ledger/ledger.ts';
import { batchScope } from '../../../../src/ledger/scope.ts';
import { entryOf, ticketOf } from '../../../contract/cluster.ts';
import { useOwnServer } from '../own-server.ts';

const own = useOwnServer();

test('restoreIfRestarted() posts forgotten replies, uncertain calls and calls in flight again, once', async () => {
  const { ledger, claim } = await own.rememberingWorker();
  await own.cluster.redis.save();
  const reply = ticketOf(claim, 100);
  const inFlight = ticketOf(claim, 200);
  const uncertain = ticketOf(claim, 300);
  const released = ticketOf(claim, 400);
  for (const ticket of [reply, inFlight, uncertain, released]) await ledger.admit(ticket);
  await ledger.settle(reply, { kind: 'reply', entry: entryOf(60) });
  await ledger.settle(uncertain, { kind: 'uncertain', reason: 'timeout' });
  await ledger.settle(released, { kind: 'released' });
  const before = await ledger.totals(batchScope(claim.batchId));
  expect(before).toMatchObject({ settled: 60, uncertain: 300, held: 200 });

  await own.restart();
  expect(await ledger.totals(batchScope(claim.batchId))).toMatchObject({ settled: 0, uncertain: 0, held: 0 });
  expect(await ledger.restoreIfRestarted()).toBe(3);
  expect(await ledger.totals(batchScope(claim.batchId))).toEqual(before);
  expect(await ledger.openCalls(claim.batchId)).toBe(1);
  expect([...(await ledger.journal(claim.batchId, 0)).keys()]).toEqual([reply.callKey]);
  expect(await ledger.uncertainCalls(claim.batchId)).toMatchObject([{ callId: uncertain.callId, cost: 300 }]);

  expect(await ledger.restoreIfRestarted()).toBe(0);
  await ledger.settle(inFlight, { kind: 'reply', entry: entryOf(150) });
  expect(await ledger.totals(batchScope(claim.batchId))).toMatchObject({ settled: 210, uncertain: 300, held: 0 });
});

test('restoreIfRestarted() posts forgotten replies again however long the server was away', async () => {
  let now = 0;
  const { ledger, claim, ticket } = await own.forgettableReply(() => now);
  now = 60_000;
  await own.restart();
  expect(await ledger.restoreIfRestarted()).toBe(1);
  expect([...(await ledger.journal(claim.batchId, 0)).keys()]).toEqual([ticket.callKey]);
});

test('restoreIfRestarted() that was cut off posts the rest the next time', async () => {
  const { ledger, claim, ticket } = await own.forgettableReply();
  await own.restart();
  vi.spyOn(ledger, 'restore').mockRejectedValueOnce(new Error('Redis is away again'));
  await expect(ledger.restoreIfRestarted()).rejects.toThrow('away again');
  expect(await ledger.restoreIfRestarted()).toBe(1);
  expect([...(await ledger.journal(claim.batchId, 0)).keys()]).toEqual([ticket.callKey]);
});

test('a call that ends while the last seconds are posted again is not held for ever', async () => {
  const { ledger, claim } = await own.rememberingWorker();
  await own.cluster.redis.save();
  const [first, second, third] = [ticketOf(claim, 100), ticketOf(claim, 200), ticketOf(claim, 400)] as const;
  for (const ticket of [first, second, third]) await ledger.admit(ticket);
  await own.restart();
  const { restore } = RememberingLedger.prototype;
  const endings: Promise<unknown>[] = [];
  vi.spyOn(ledger, 'restore').mockImplementation(async (ticket, outcome) => {
    // As a slice does that notices that the server does not know its claim.
    if (endings.length === 0) {
      endings.push(ledger.settle(second, { kind: 'uncertain', reason: 'shutdown' }));
      endings.push(ledger.settle(third, { kind: 'released' }));
    }
    return await restore.call(ledger, ticket, outcome);
  });
  expect(await ledger.restoreIfRestarted()).toBe(3);
  await Promise.all(endings);
  expect(await ledger.totals(batchScope(claim.batchId))).toMatchObject({ settled: 0, uncertain: 200, held: 100 });
  expect(await ledger.openCalls(claim.batchId)).toBe(1);
});

test('a reply that a restarted server has taken without its claim is booked', async () => {
  const { ledger, claim } = await own.rememberingWorker();
  await own.cluster.redis.save();
  const ticket = ticketOf(claim, 100);
  await ledger.admit(ticket);
  await own.restart();
  await Promise.all([ledger.settle(ticket, { kind: 'reply', entry: entryOf(60) }), ledger.restoreIfRestarted()]);
  expect(await ledger.totals(batchScope(claim.batchId))).toMatchObject({ settled: 60, uncertain: 0, held: 0 });
});

test('calls in flight under a lease that the server has forgotten are booked when their worker dies', async () => {
  const claim = await own.cluster.claim(await own.cluster.queuedBatch());
  await own.cluster.redis.save();
  const { lease } = await own.cluster.worker();
  const ledger = new RememberingLedger(own.cluster.redis, own.cluster.keys, lease);
  ledger.remember({ ...systemClock, now: () => 0, monotonic: () => 0 });
  await ledger.restoreIfRestarted();
  await ledger.admit(ticketOf(claim, 100));
  await own.restart();
  // Its next sign of life finds no lease and takes another one.
  await lease.renew();
  expect(await ledger.restoreIfRestarted()).toBe(1);
  await lease.stop();
  expect(await ledger.reapDeadWorkers()).toBe(1);
  expect(await ledger.totals(batchScope(claim.batchId))).toMatchObject({ uncertain: 100, held: 0 });
});

test('restoreIfRestarted() still has the last replies of before when others have settled since the server is back', async () => {
  let now = 0;
  const { ledger, claim } = await own.rememberingWorker(() => now);
  const old = Array.from({ length: 1_000 }, () => ticketOf(claim, 1));
  await Promise.all(old.map((ticket) => ledger.admit(ticket)));
  await Promise.all(old.map((ticket) => ledger.settle(ticket, { kind: 'released' })));
  await own.cluster.redis.save();
  now = 10_000;
  expect(await ledger.restoreIfRestarted()).toBe(0);
  const reply = ticketOf(claim, 100);
  await ledger.admit(reply);
  await ledger.settle(reply, { kind: 'reply', entry: entryOf(60) });
  now = 60_000;
  await own.restart();
  const after = ticketOf(claim, 1);
  await ledger.admit(after);
  await ledger.settle(after, { kind: 'released' });
  await ledger.restoreIfRestarted();
  expect([...(await ledger.journal(claim.batchId, 0)).keys()]).toEqual([reply.callKey]);
});

test('restoreIfRestarted() settles a hold whose settlement alone was forgotten, and books nothing twice', async () => {
  const { ledger, claim } = await own.rememberingWorker();
  const ticket = ticketOf(claim, 100);
  await ledger.admit(ticket);
  await own.cluster.redis.save();
  await ledger.settle(ticket, { kind: 'reply', entry: entryOf(60) });

  await own.restart();
  expect(await ledger.totals(batchScope(claim.batchId))).toMatchObject({ settled: 0, held: 100 });
  await ledger.restoreIfRestarted();
  expect(await ledger.totals(batchScope(claim.batchId))).toMatchObject({ settled: 60, uncertain: 0, held: 0 });
  expect(await ledger.openCalls(claim.batchId)).toBe(0);
});

test('restoreIfRestarted() settles a hold of a lease that has ended since, and books nothing twice', async () => {
  const { ledger, claim, lease } = await own.rememberingWorker();
  const ticket = ticketOf(claim, 100);
  await ledger.admit(ticket);
  await own.cluster.redis.save();
  await ledger.settle(ticket, { kind: 'reply', entry: entryOf(60) });
  await own.restart();
  await own.cluster.endLease(lease.workerId);
  await lease.renew();
  await ledger.restoreIfRestarted();
  await ledger.reapDeadWorkers();
  expect(await ledger.totals(batchScope(claim.batchId))).toMatchObject({ settled: 60, uncertain: 0, held: 0 });
});

test('restoreIfRestarted() changes nothing where the server has forgotten nothing', async () => {
  const { ledger, claim } = await own.rememberingWorker();
  const ticket = ticketOf(claim, 100);
  await ledger.admit(ticket);
  await ledger.settle(ticket, { kind: 'reply', entry: entryOf(60) });
  const inFlight = ticketOf(claim, 40);
  await ledger.admit(inFlight);
  const before = await ledger.totals(batchScope(claim.batchId));
  await own.cluster.redis.save();

  await own.restart();
  expect(await ledger.restoreIfRestarted()).toBe(0);
  expect(await ledger.totals(batchScope(claim.batchId))).toEqual(before);
});

test('a failed call that was billed is posted again under its own key, not as the answer to its question', async () => {
  const { ledger, claim } = await own.rememberingWorker();
  await own.cluster.redis.save();
  const ticket = ticketOf(claim, 100);
  await ledger.admit(ticket);
  await ledger.settle({ ...ticket, callKey: `${ticket.callKey}!1` }, { kind: 'reply', entry: entryOf(60, '') });
  await own.restart();
  expect(await ledger.restoreIfRestarted()).toBe(1);
  expect([...(await ledger.journal(claim.batchId, 0)).keys()]).toEqual([`${ticket.callKey}!1`]);
});

/** The server is away for longer than a settlement waits, and comes back. */
async function failToSettle(ledger: RememberingLedger, ticket: CallTicket, outcome: Outcome): Promise<void> {
  await own.cluster.redis.save();
  await own.server.kill();
  const retries = own.cluster.redis.options.maxRetriesPerRequest ?? null;
  own.cluster.redis.options.maxRetriesPerRequest = 0;
  await expect(ledger.settle(ticket, outcome)).rejects.toThrow(/out of reach/);
  own.cluster.redis.options.maxRetriesPerRequest = retries;
  await own.server.start();
}

test('a reply whose settlement failed, because the server was away for too long, is there for the slice’s next owner', async () => {
  const { ledger, claim } = await own.rememberingWorker();
  const ticket = ticketOf(claim, 100);
  await ledger.admit(ticket);
  await failToSettle(ledger, ticket, { kind: 'reply', entry: entryOf(60) });

  await own.cluster.claim(claim.batchId);
  expect([...(await ledger.journal(claim.batchId, 0)).keys()]).toEqual([ticket.callKey]);
  expect(await ledger.totals(batchScope(claim.batchId))).toMatchObject({ settled: 60, uncertain: 0, held: 0 });
  expect(await ledger.openCalls(claim.batchId)).toBe(0);
  await ledger.restoreIfRestarted();
  expect(await ledger.totals(batchScope(claim.batchId))).toMatchObject({ settled: 60, uncertain: 0, held: 0 });
});

test('a settlement that failed is made by housekeeping where nobody takes the slice', async () => {
  const { ledger, claim } = await own.rememberingWorker();
  const ticket = ticketOf(claim, 100);
  await ledger.admit(ticket);
  await failToSettle(ledger, ticket, { kind: 'released' });
  await ledger.restoreIfRestarted();
  expect(await ledger.totals(batchScope(claim.batchId))).toMatchObject({ settled: 0, uncertain: 0, held: 0 });
  expect(await ledger.openCalls(claim.batchId)).toBe(0);
});

test('an admission whose answer was lost for good holds nothing once the server is back', async () => {
  const { ledger, claim } = await own.rememberingWorker();
  const { admit } = RedisLedger.prototype;
  const lost = vi.spyOn(RedisLedger.prototype, 'admit').mockImplementationOnce(async (ticket) => {
    await admit.call(ledger, ticket);
    throw new NightmillError('redis_unavailable', 'Redis is out of reach.');
  });
  await expect(ledger.admit(ticketOf(claim, 100))).rejects.toThrow('out of reach');
  lost.mockRestore();
  expect(await ledger.totals(batchScope(claim.batchId))).toMatchObject({ held: 100 });
  // As the slice does that begins again.
  await ledger.journal(claim.batchId, 0);
  expect(await ledger.totals(batchScope(claim.batchId))).toMatchObject({ settled: 0, uncertain: 0, held: 0 });
  expect(await ledger.openCalls(claim.batchId)).toBe(0);
});
