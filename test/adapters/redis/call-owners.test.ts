import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { RedisCallOwners } from '../../../src/adapters/redis/call-owners.ts';
import type { CallTicket, SliceClaim } from '../../../src/ledger/ledger.ts';
import { batchScope } from '../../../src/ledger/scope.ts';
import { DAY, entryOf, replyOf, ticketOf } from '../../contract/cluster.ts';
import { type RedisServer, startRedisServer } from '../../helpers/redis-server.ts';
import { Cluster } from './fixture.ts';

let server: RedisServer;
let cluster: Cluster;
let owners: RedisCallOwners;

beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  cluster = new Cluster(await server.connect());
  owners = new RedisCallOwners(cluster.redis, cluster.keys);
});
afterEach(() => cluster.stop());

const RUN = { id: 'eval-1', workflow: 'triage', timezones: { workflow: 'UTC', global: 'UTC' } };

describe('a run that asks without a slice', () => {
  test('its calls are held, settled and limited like those of a slice', async () => {
    const { ledger } = await cluster.worker();
    const claim = await owners.open(RUN);
    await ledger.setLimit(DAY.name, 100);
    const ticket = ticketOf(claim, 80);
    expect(await ledger.admit(ticket)).toEqual({ kind: 'admitted' });
    expect(await ledger.admit(ticketOf(claim, 21))).toMatchObject({ kind: 'refused', refusal: { scope: DAY.name } });
    expect(await ledger.settle(ticket, replyOf(30))).toEqual({ kind: 'settled' });
    expect(await ledger.totals(batchScope(claim.batchId))).toEqual({ settled: 30, uncertain: 0, held: 0 });
    expect(await ledger.totals(DAY)).toMatchObject({ settled: 30, held: 0 });
  });

  test('opened again it fences its former owner and replays what was paid for', async () => {
    const { ledger } = await cluster.worker();
    const first = await owners.open(RUN);
    const paid = ticketOf(first, 30, { callKey: 'question' });
    await ledger.admit(paid);
    await ledger.settle(paid, replyOf(20));
    const second = await owners.open(RUN);
    expect(await ledger.admit(ticketOf(first, 30))).toEqual({ kind: 'fenced' });
    expect(await ledger.admit(ticketOf(second, 30, { callKey: 'question' }))).toEqual({
      kind: 'replay',
      entry: entryOf(20),
      callKey: 'question',
    });
    expect(await owners.close(first)).toBe(false);
  });

  test('closed it leaves nothing but what it cost, and only when no call is in flight', async () => {
    const { ledger } = await cluster.worker();
    const claim = await owners.open(RUN);
    const ticket = ticketOf(claim, 30);
    await ledger.admit(ticket);
    expect(await owners.close(claim)).toBe(false);
    await ledger.settle(ticket, replyOf(20));
    expect(await owners.close(claim)).toBe(true);
    const left = await cluster.redis.keys(`*${cluster.prefix}*`);
    expect(left.filter((key) => key.includes(claim.batchId))).toEqual([]);
    expect(await ledger.totals(DAY)).toMatchObject({ uncertain: 20, held: 0 });
  });

  test('forgotten by its id it leaves as when it is closed, and not while a call is in flight', async () => {
    const { ledger } = await cluster.worker();
    const claim = await owners.open(RUN);
    const ticket = ticketOf(claim, 30);
    await ledger.admit(ticket);
    await owners.forget(RUN.id);
    expect(await cluster.redis.exists(cluster.keys.fence(claim.batchId))).toBe(1);
    await ledger.settle(ticket, replyOf(20));
    await owners.forget(RUN.id);
    const left = await cluster.redis.keys(`*${cluster.prefix}*`);
    expect(left.filter((key) => key.includes(claim.batchId))).toEqual([]);
    expect(await ledger.totals(DAY)).toMatchObject({ uncertain: 20, held: 0 });
    await owners.forget('never-opened');
  });

  test.each(['closed', 'forgotten'])('%s while a call is in flight, it keeps no reply and takes none', async (how) => {
    const { ledger } = await cluster.worker();
    const claim = await owners.open(RUN);
    const journal = cluster.keys.journal(claim.batchId, 0);
    const paid = ticketOf(claim, 30);
    await ledger.admit(paid);
    await ledger.settle(paid, replyOf(20));
    const late = ticketOf(claim, 30);
    await ledger.admit(late);
    if (how === 'closed') expect(await owners.close(claim)).toBe(false);
    else await owners.forget(RUN.id);
    expect(await cluster.redis.exists(journal)).toBe(0);
    expect(await ledger.settle(late, replyOf(25))).toEqual({ kind: 'fenced' });
    expect(await cluster.redis.exists(journal)).toBe(0);
    expect(await ledger.totals(DAY)).toMatchObject({ settled: 20, uncertain: 25, held: 0 });

    const next = await owners.open(RUN);
    expect(await ledger.admit(ticketOf(claim, 10))).toEqual({ kind: 'fenced' });
    expect(await ledger.admit(ticketOf(next, 10))).toEqual({ kind: 'admitted' });
  });

  test('a run that was left alone for a week is closed when another one is opened', async () => {
    const claim = await owners.open(RUN);
    await cluster.redis.zadd(cluster.keys.callOwners, 1, claim.batchId);
    await owners.open({ ...RUN, id: 'eval-2' });
    expect(await cluster.redis.exists(cluster.keys.fence(claim.batchId))).toBe(0);
    expect(await cluster.redis.zrange(cluster.keys.callOwners, '0', '-1')).toEqual(['~eval-2']);
  });
});

describe('a lease that outlives its process', () => {
  const stored = (ticket: CallTicket) => JSON.parse(JSON.stringify(ticket)) as CallTicket;
  const leased = (claim: SliceClaim) => ticketOf(claim, 70, { lease: 'provider-batch-1' });

  test('keeps its holds while the process that made them is dead; another one settles the stored ticket', async () => {
    const { ledger, lease } = await cluster.worker();
    const claim = await owners.open(RUN);
    await owners.extendLease('provider-batch-1', 60_000);
    const ticket = leased(claim);
    expect(await ledger.admit(ticket)).toEqual({ kind: 'admitted' });
    await cluster.endLease(lease.workerId);
    const other = (await cluster.worker()).ledger;
    expect(await other.reapDeadWorkers()).toBe(0);
    expect(await other.settle(stored(ticket), replyOf(50))).toEqual({ kind: 'settled' });
    expect(await other.totals(batchScope(claim.batchId))).toEqual({ settled: 50, uncertain: 0, held: 0 });
  });

  test('once ended, its holds are booked as uncertain, nothing is admitted under it and it is not revived', async () => {
    const { ledger } = await cluster.worker();
    const claim = await owners.open(RUN);
    await owners.extendLease('provider-batch-1', 60_000);
    await ledger.admit(leased(claim));
    await owners.endLease('provider-batch-1');
    expect(await owners.extendLease('provider-batch-1', 60_000)).toBe(false);
    expect(await ledger.reapDeadWorkers()).toBe(1);
    expect(await ledger.totals(batchScope(claim.batchId))).toEqual({ settled: 0, uncertain: 70, held: 0 });
    expect(await ledger.admit(leased(claim))).toEqual({ kind: 'fenced' });
  });
});
