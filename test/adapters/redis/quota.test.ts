import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BURST_MS } from '../../../src/adapters/redis/scripts/quota.ts';
import type { Admission, SliceClaim } from '../../../src/ledger/ledger.ts';
import type { PoolLimits } from '../../../src/ledger/pool-limits.ts';
import { NO_USAGE } from '../../../src/money/usage.ts';
import { DAY, entryOf, ticketOf } from '../../contract/cluster.ts';
import { type RedisServer, startRedisServer } from '../../helpers/redis-server.ts';
import { Cluster } from './fixture.ts';

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

const POOL = 'acme';
/** The share of a limit that is used. */
const BASE = 0.99;
const MINUTE_MS = 60_000;

function callOf(claim: SliceClaim, limits: PoolLimits, tokens: { input?: number; output?: number } = {}) {
  return ticketOf(claim, 10, {
    quota: { pool: POOL, limits, inputTokens: tokens.input ?? 0, outputTokens: tokens.output ?? 0 },
  });
}

function replyWith(inputTokens: number, outputTokens: number) {
  return { kind: 'reply', entry: { ...entryOf(1), usage: { ...NO_USAGE, inputTokens, outputTokens } } } as const;
}

/** Milliseconds until the bucket of a dimension is full again, by the server's clock. */
async function debtMs(field: 'r' | 't' | 'i' | 'o'): Promise<number> {
  const [full, [seconds = 0, micros = 0]] = await Promise.all([
    cluster.redis.hget(cluster.keys.pool(POOL), field),
    cluster.redis.time().then((parts) => parts.map(Number)),
  ]);
  return Number(full) - (seconds * 1_000 + micros / 1_000);
}

const granted = (admissions: readonly Admission[]) => admissions.filter(({ kind }) => kind === 'admitted');

describe('admit() with a quota', () => {
  test('calls pass while the burst lasts, and then one has to wait until half of it is there again', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const limits = { requestsPerMinute: 600 };
    const admissions = await Promise.all(Array.from({ length: 10 }, () => ledger.admit(callOf(claim, limits))));
    const eachMs = MINUTE_MS / (600 * BASE);
    const passed = granted(admissions);
    expect(passed.length).toBeGreaterThanOrEqual(Math.floor(BURST_MS / eachMs) + 1);
    expect(passed.length).toBeLessThan(10);
    // On a busy machine a part of the burst may come back between two of them.
    for (const admission of admissions.filter(({ kind }) => kind !== 'admitted')) {
      expect(admission).toMatchObject({ kind: 'wait', why: 'rate' });
      const { waitMs } = admission as Extract<Admission, { kind: 'wait' }>;
      expect(waitMs).toBeGreaterThan(0);
      expect(waitMs).toBeLessThanOrEqual(BURST_MS / 2 + eachMs + 1);
    }
  });

  test('a call larger than the burst starts when the bucket is full, and the next one after it has been paid back', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const limits = { tokensPerMinute: 60_000 };
    expect(await ledger.admit(callOf(claim, limits, { input: 300 }))).toEqual({ kind: 'admitted' });
    const large = await ledger.admit(callOf(claim, limits, { input: 2_000 }));
    expect(large).toMatchObject({ kind: 'admitted' });
    expect((large as { startInMs?: number }).startInMs).toBeGreaterThan(0);
    const next = await ledger.admit(callOf(claim, limits, { input: 1 }));
    expect(next).toMatchObject({ kind: 'wait', why: 'rate' });
    expect((next as { waitMs: number }).waitMs).toBeGreaterThan(1_500);
  });

  test('every dimension counts, and the scarcest one decides', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const limits = { requestsPerMinute: 6_000, inputTokensPerMinute: 60_000, outputTokensPerMinute: 6_000 };
    await ledger.admit(callOf(claim, limits, { input: 100, output: 50 }));
    expect(await debtMs('r')).toBeLessThanOrEqual(MINUTE_MS / (6_000 * BASE));
    expect(await debtMs('i')).toBeLessThanOrEqual(100 / BASE);
    const out = await debtMs('o');
    expect(out).toBeLessThanOrEqual(500 / BASE);
    expect(out).toBeGreaterThan(300);
    expect(await ledger.admit(callOf(claim, limits, { input: 100, output: 50 }))).toMatchObject({ why: 'rate' });
  });

  test('the same call sent again takes nothing more', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const ticket = callOf(claim, { tokensPerMinute: 60_000 }, { input: 1_000 });
    await ledger.admit(ticket);
    const before = await cluster.redis.hgetall(cluster.keys.pool(POOL));
    expect(await ledger.admit(ticket)).toEqual({ kind: 'admitted' });
    expect(await cluster.redis.hgetall(cluster.keys.pool(POOL))).toEqual(before);
  });

  test('a call that has to wait holds no money, and one that is refused money takes no quota', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const limits = { requestsPerMinute: 60, concurrency: 1 };
    await ledger.admit(callOf(claim, limits));
    expect(await ledger.admit(callOf(claim, limits))).toMatchObject({ kind: 'wait' });
    expect((await ledger.totals(DAY)).held).toBe(10);
    expect(await ledger.openCalls(claim.batchId)).toBe(1);
    const before = await cluster.redis.hgetall(cluster.keys.pool(POOL));
    await ledger.setLimit(DAY.name, 10);
    expect(await ledger.admit(callOf(claim, limits))).toMatchObject({ kind: 'refused' });
    expect(await cluster.redis.hgetall(cluster.keys.pool(POOL))).toEqual(before);
  });

  test('calls at once are counted for the whole cluster; a settled call and a dead worker’s call free their places', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const other = await cluster.workerWithSlice();
    const limits = { concurrency: 2 };
    const first = callOf(claim, limits);
    await ledger.admit(first);
    await other.ledger.admit(callOf(other.claim, limits));
    expect(await ledger.admit(callOf(claim, limits))).toMatchObject({ kind: 'wait', why: 'concurrency' });
    await ledger.settle(first, replyWith(1, 1));
    expect(await ledger.admit(callOf(claim, limits))).toEqual({ kind: 'admitted' });
    expect(await ledger.admit(callOf(claim, limits))).toMatchObject({ why: 'concurrency' });
    await cluster.endLease(other.lease.workerId);
    expect(await ledger.reapDeadWorkers()).toBe(1);
    expect(await ledger.admit(callOf(claim, limits))).toEqual({ kind: 'admitted' });
  });

  test('a day’s quota is counted until midnight UTC', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const limits = { requestsPerDay: 2, tokensPerDay: 1_000 };
    expect(await ledger.admit(callOf(claim, limits, { input: 900 }))).toEqual({ kind: 'admitted' });
    expect(await ledger.admit(callOf(claim, limits, { input: 200 }))).toMatchObject({ kind: 'wait', why: 'day' });
    expect(await ledger.admit(callOf(claim, limits, { input: 50 }))).toEqual({ kind: 'admitted' });
    const answer = (await ledger.admit(callOf(claim, limits))) as { waitMs: number; why: string };
    expect(answer.why).toBe('day');
    const midnight = new Date().setUTCHours(24, 0, 0, 0);
    expect(Math.abs(answer.waitMs - (midnight - Date.now()))).toBeLessThan(60_000);
    await cluster.redis.hset(cluster.keys.pool(POOL), 'day', 1);
    expect(await ledger.admit(callOf(claim, limits))).toEqual({ kind: 'admitted' });
  });
});

describe('settle() with a quota of the day', () => {
  const limits = { requestsPerDay: 2, tokensPerDay: 1_000 };

  test('what a reply did not use of the day’s tokens comes back', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const first = callOf(claim, limits, { input: 100, output: 800 });
    await ledger.admit(first);
    expect(await ledger.admit(callOf(claim, limits, { input: 200 }))).toMatchObject({ kind: 'wait', why: 'day' });
    await ledger.settle(first, replyWith(150, 50));
    expect(await cluster.redis.hmget(cluster.keys.pool(POOL), 'dr', 'dt')).toEqual(['1', '200']);
    expect(await ledger.admit(callOf(claim, limits, { input: 800 }))).toEqual({ kind: 'admitted' });
  });

  test('calls that never left use nothing of the day, however many they are', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    for (let n = 0; n < 5; n += 1) {
      const unsent = callOf(claim, limits, { input: 400 });
      expect(await ledger.admit(unsent)).toEqual({ kind: 'admitted' });
      await ledger.settle(unsent, { kind: 'released' });
    }
    expect(await cluster.redis.hmget(cluster.keys.pool(POOL), 'dr', 'dt')).toEqual(['0', '0']);
  });

  test('a call of yesterday gives nothing back to today, and one that was reaped gives nothing back at all', async () => {
    const { ledger, claim, lease } = await cluster.workerWithSlice();
    const yesterdays = callOf(claim, limits, { input: 900 });
    await ledger.admit(yesterdays);
    await cluster.redis.hset(cluster.keys.pool(POOL), 'day', 1, 'dr', 1, 'dt', 10);
    await ledger.settle(yesterdays, replyWith(1, 1));
    expect(await cluster.redis.hmget(cluster.keys.pool(POOL), 'dr', 'dt')).toEqual(['1', '10']);
    const reaped = callOf(claim, limits, { input: 900 });
    await ledger.admit(reaped);
    await cluster.endLease(lease.workerId);
    await (await cluster.worker()).ledger.reapDeadWorkers();
    const before = await cluster.redis.hgetall(cluster.keys.pool(POOL));
    await ledger.settle(reaped, replyWith(1, 1));
    expect(await cluster.redis.hgetall(cluster.keys.pool(POOL))).toEqual(before);
    expect(before).toMatchObject({ open: '0', dr: '1', dt: '900' });
  });
});

describe('settle() with a quota', () => {
  const limits = { requestsPerMinute: 600, tokensPerMinute: 60_000, outputTokensPerMinute: 60_000 };

  test('what a reply did not use comes back, and what it used more is taken', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const ticket = callOf(claim, limits, { input: 5_000, output: 5_000 });
    await ledger.admit(ticket);
    const taken = await debtMs('t');
    await ledger.settle(ticket, replyWith(6_000, 1_000));
    const left = await debtMs('t');
    // 3,000 of 60,000 tokens per minute are three seconds.
    expect(taken - left).toBeGreaterThanOrEqual(3_000 / BASE - 1);
    expect(await debtMs('o')).toBeLessThanOrEqual(1_000 / BASE + 1);
    expect(await cluster.redis.hget(cluster.keys.pool(POOL), 'open')).toBe('0');
  });

  test('a call that never left gives everything back; one that the limits refused gives nothing back', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const unsent = callOf(claim, limits, { input: 10_000 });
    await ledger.admit(unsent);
    await ledger.settle(unsent, { kind: 'released' });
    expect(await debtMs('t')).toBeLessThanOrEqual(0);
    expect(await debtMs('r')).toBeLessThanOrEqual(0);
    const refused = callOf(claim, limits, { input: 10_000 });
    await ledger.admit(refused);
    await ledger.settle(refused, { kind: 'released', refused: true });
    expect(await debtMs('t')).toBeGreaterThan(5_000);
  });

  test('settling twice gives back once', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const ticket = callOf(claim, limits, { input: 10_000 });
    await ledger.admit(ticket);
    await ledger.settle(ticket, replyWith(5_000, 0));
    const after = await cluster.redis.hgetall(cluster.keys.pool(POOL));
    await ledger.settle(ticket, replyWith(5_000, 0));
    expect(await cluster.redis.hgetall(cluster.keys.pool(POOL))).toEqual(after);
  });
});

describe('a pool that is told nonsense', () => {
  test('a limit in the headers that is far too low costs a call a minute, not days', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    await ledger.reportQuota(POOL, { limits: { tokensPerMinute: 1 } });
    await ledger.admit(callOf(claim, { tokensPerMinute: 60_000 }, { input: 50_000 }));
    expect(await debtMs('t')).toBeLessThanOrEqual(MINUTE_MS);
    const answer = await ledger.admit(callOf(claim, { tokensPerMinute: 60_000 }, { input: 50_000 }));
    expect(answer).toMatchObject({ kind: 'wait', why: 'rate' });
    // A call that is told a minute or less continues waiting in line.
    expect((answer as { waitMs: number }).waitMs).toBeLessThanOrEqual(MINUTE_MS);
  });

  test('a call under a low limit of the config takes as long as that says', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    await ledger.admit(callOf(claim, { tokensPerMinute: 1_000 }, { input: 5_000 }));
    expect(await debtMs('t')).toBeGreaterThan(5 * MINUTE_MS - 1_000);
  });

  test('a usage that no reply can have does not stop the pool for longer than four such calls', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const ticket = callOf(claim, { tokensPerMinute: 60_000 }, { input: 500, output: 500 });
    await ledger.admit(ticket);
    await ledger.settle(ticket, replyWith(9_007_199_254_740_991, 10));
    expect(await debtMs('t')).toBeLessThan(5_000);
  });

  test('when the server’s clock is set back, calls do not wait until it is late again', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const limits = { requestsPerMinute: 600 };
    await ledger.admit(callOf(claim, limits));
    await ledger.reportQuota(POOL, { refused: true, waitMs: 100 });
    const pool = cluster.keys.pool(POOL);
    const hourMs = 3_600_000;
    // As if all of this had been written an hour later.
    for (const field of ['r', 'after', 'cutAt', 'at']) {
      const value = await cluster.redis.hget(pool, field);
      if (value !== null) await cluster.redis.hset(pool, field, Number(value) + hourMs);
    }
    expect(await ledger.admit(callOf(claim, limits))).toEqual({ kind: 'admitted' });
    const eachMs = MINUTE_MS / (600 * BASE);
    expect(await debtMs('r')).toBeLessThanOrEqual(eachMs);
    expect(await debtMs('r')).toBeGreaterThan(0);
    expect(await cluster.redis.hget(pool, 'open')).toBe('2');
  });

  test('a wait that was asked for before the clock was set back does not last an hour', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const pool = cluster.keys.pool(POOL);
    await ledger.reportQuota(POOL, { refused: true, waitMs: 100 });
    const later = Date.now() + 3_600_000;
    await cluster.redis.hset(pool, 'after', later, 'cutAt', later, 'at', later);
    await ledger.reportQuota(POOL, { refused: true, waitMs: 20_000 });
    const answer = await ledger.admit(callOf(claim, {}));
    expect(answer).toMatchObject({ kind: 'wait', why: 'asked' });
    expect((answer as { waitMs: number }).waitMs).toBeLessThanOrEqual(20_000);
  });
});

test('a server that has lost its scripts gets them again, and the call is admitted once', async () => {
  const { ledger, claim } = await cluster.workerWithSlice();
  const ticket = callOf(claim, { requestsPerMinute: 600, concurrency: 5 });
  await cluster.redis.script('FLUSH');
  expect(await ledger.admit(ticket)).toEqual({ kind: 'admitted' });
  await cluster.redis.script('FLUSH');
  await ledger.settle(ticket, replyWith(1, 1));
  expect(await cluster.redis.hget(cluster.keys.pool(POOL), 'open')).toBe('0');
  expect(await cluster.totals(ledger, claim)).toMatchObject([1, 2, 3, 4].map(() => ({ held: 0, settled: 1 })));
});

describe('reportQuota()', () => {
  test('a wait that the provider asked for holds for the whole cluster', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const other = await cluster.worker();
    await other.ledger.reportQuota(POOL, { refused: true, waitMs: 20_000 });
    expect(await ledger.admit(callOf(claim, {}))).toMatchObject({ kind: 'wait', why: 'asked' });
    await cluster.redis.hset(cluster.keys.pool(POOL), 'after', 0);
    expect(await ledger.admit(callOf(claim, {}))).toEqual({ kind: 'admitted' });
  });

  test('a refusal slows the pool down by a twentieth, once for refusals that come together, and heals', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    const limits = { tokensPerMinute: 60_000 };
    for (let n = 0; n < 3; n += 1) await ledger.reportQuota(POOL, { refused: true, isStated: true });
    expect(Number(await cluster.redis.hget(cluster.keys.pool(POOL), 'cut'))).toBe(0.95);
    const slow = callOf(claim, limits, { input: 10_000 });
    await ledger.admit(slow);
    expect(await debtMs('t')).toBeGreaterThan(10_000 / (BASE * 0.955));
    await ledger.settle(slow, { kind: 'released' });
    // Half a minute later.
    await cluster.redis.hset(cluster.keys.pool(POOL), 'cutAt', Date.now() - 30_000);
    await ledger.admit(callOf(claim, limits, { input: 10_000 }));
    expect(await debtMs('t')).toBeLessThanOrEqual(10_000 / BASE);
  });

  test('a limit in the headers that is lower than the config’s is used, a higher one is not', async () => {
    const { ledger, claim } = await cluster.workerWithSlice();
    await ledger.reportQuota(POOL, { limits: { tokensPerMinute: 6_000, requestsPerMinute: 60_000 } });
    await ledger.admit(callOf(claim, { tokensPerMinute: 60_000, requestsPerMinute: 600 }, { input: 100 }));
    expect(await debtMs('t')).toBeGreaterThan(900);
    expect(await debtMs('r')).toBeGreaterThan(50);
  });
});
