import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import { type Call, routeTo } from '../../src/calls/call.ts';
import type { CallModelContext } from '../../src/calls/call-context.ts';
import { callModel } from '../../src/calls/call-model.ts';
import { SliceRun } from '../../src/calls/slice-run.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { batchScope } from '../../src/ledger/scope.ts';
import { NO_USAGE } from '../../src/money/usage.ts';
import type { ModelReply } from '../../src/providers/model-client.ts';
import { ProviderGate } from '../../src/providers/provider-gate.ts';
import { Pools } from '../../src/quota/pools.ts';
import { cluster, PATIENCE_MS, primary, reasonOf, setUp } from './call-model-fixture.ts';

describe('callModel() under a quota', () => {
  test('calls beyond the quota wait for it, in the order of their slices, and every one is answered', async () => {
    const limits = new Map([['primary', { requestsPerMinute: 1_200 }]]);
    const { context, call } = await setUp({ limits });
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: 30 }, (_, n) => callModel(context, call(`document ${n}`, ['primary']))));
    // The burst lets 8 or 9 pass at once; the others have to come one in 50 ms.
    expect(performance.now() - startedAt).toBeGreaterThan(900);
    expect(primary.calls).toHaveLength(30);
  }, 30_000);

  test('a stop while calls wait for their quota leaves nothing held and sends nothing more', async () => {
    const limits = new Map([['primary', { requestsPerMinute: 60 }]]);
    const { context, call, slice, worker } = await setUp({ limits });
    const calls = Array.from({ length: 5 }, (_, n) => reasonOf(callModel(context, call(`document ${n}`, ['primary']))));
    const first = calls.shift()!;
    first.catch(() => {});
    await primary.until(({ calls: sent }) => sent.length > 0);
    slice.stop({ kind: 'paused' });
    for (const reason of await Promise.all(calls)) expect(reason).toEqual({ kind: 'paused' });
    await first.catch(() => {});
    const sent = primary.calls.length;
    expect((await worker.ledger.totals(batchScope(slice.claim.batchId))).held).toBe(0);
    expect(await cluster.redis.hget(cluster.keys.pool('primary'), 'open')).toBe('0');
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(primary.calls).toHaveLength(sent);
  }, 30_000);

  test('a day’s quota that is used up gives the slice back until midnight', async () => {
    const limits = new Map([['primary', { requestsPerDay: 1 }]]);
    const { context, call } = await setUp({ limits });
    await callModel(context, call('a', ['primary']));
    const reason = await reasonOf(callModel(context, call('b', ['primary'])));
    expect(reason).toMatchObject({ kind: 'provider', hold: { retry: true } });
    const { hold } = reason as { hold: { retryAt: number; reason: string } };
    expect(new Date(hold.retryAt).getTime()).toBeGreaterThan(Date.now());
    expect(hold.reason).toContain('requestsPerDay');
    expect(primary.calls).toHaveLength(1);
  });

  test('a long wait that the provider asked the cluster for is not taken for a used-up day', async () => {
    const { context, call, worker } = await setUp({ limits: new Map([['primary', { requestsPerMinute: 600 }]]) });
    await worker.ledger.reportQuota('primary', { refused: true, waitMs: 300_000 });
    const reason = await reasonOf(callModel(context, call('a', ['primary'])));
    expect(reason).toMatchObject({ kind: 'provider', hold: { retry: true } });
    const { hold } = reason as { hold: { reason: string } };
    expect(hold.reason).toContain('asked');
    expect(hold.reason).not.toContain('requestsPerDay');
    expect(primary.calls).toHaveLength(0);
  });

  test('a limit that only the provider knows is learnt from its refusal', async () => {
    const { context, call } = await setUp();
    primary.answer = () =>
      primary.calls.length === 1
        ? { status: 429, error: { message: 'slow down' }, headers: { 'retry-after': '0.3' } }
        : { content: '{"summary":"well"}' };
    await callModel(context, call('a', ['primary']));
    expect(Number(await cluster.redis.hget(cluster.keys.pool('primary'), 'cut'))).toBe(0.95);
    expect(context.pools.need('primary', 1, 1)).toMatchObject({ pool: 'primary' });
  });

  test('no more calls are in flight than the provider has places in this process', async () => {
    const { context, call } = await setUp({ concurrency: 3 });
    primary.holdAfter(0);
    const calls = Array.from({ length: 9 }, (_, n) => callModel(context, call(`document ${n}`, ['primary'])));
    await primary.until((model) => model.count('waiting') === 3);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(primary.count('waiting')).toBe(3);
    primary.release();
    await Promise.all(calls);
  });
});

describe('callModel() and what a reply or a stop leaves behind', () => {
  const LIMITS = { 'x-ratelimit-limit-tokens': '90000', 'x-ratelimit-limit-input-tokens-minute': '80000' };

  /** A provider in this process, so that its reply says what no HTTP helper does. */
  function answering(context: CallModelContext, answer: () => Promise<Partial<ModelReply>>): CallModelContext {
    const client = {
      call: async () => ({
        text: '{"summary":"well"}',
        finish: 'stop' as const,
        usage: { ...NO_USAGE, inputTokens: 100, outputTokens: 10 },
        durationMs: 1,
        rateLimitHeaders: {},
        ...(await answer()),
      }),
      close: () => Promise.resolve(),
    };
    const gate = new ProviderGate({
      name: 'primary',
      client,
      concurrency: 8,
      outageToleranceMs: PATIENCE_MS,
      clock: systemClock,
      hasPromptCache: false,
    });
    return { ...context, providers: new Map([['primary', gate]]) };
  }

  /** The ledger, with one of its methods as the test wants it. */
  function ledgerWith(ledger: Ledger, changes: Partial<Ledger>): Ledger {
    const own = (name: keyof Ledger) => (ledger[name] as (...values: unknown[]) => unknown).bind(ledger);
    return { admit: own('admit'), settle: own('settle'), reportQuota: own('reportQuota'), ...changes } as Ledger;
  }

  test('limits in the headers that cannot be told to the cluster cost nothing: the reply counts, and they are told later', async () => {
    const { context, call, worker, slice } = await setUp();
    const told: unknown[] = [];
    let isAway = true;
    const ledger = ledgerWith(worker.ledger, {
      reportQuota: async (_, report) => {
        if (isAway) throw new Error('Redis is away');
        told.push(report);
        return { isBlip: false };
      },
    });
    let now = 0;
    const clock = { ...systemClock, now: () => 0, monotonic: () => now };
    const pools = new Pools({ limits: new Map(), ledger, clock, random: Math.random });
    const own = { ...answering(context, () => Promise.resolve({ rateLimitHeaders: LIMITS })), ledger, pools };
    const entry = await callModel(own, call('a', ['primary']));
    expect(entry.reply.text).toContain('well');
    expect(slice.reason).toBeUndefined();
    expect(told).toEqual([]);
    isAway = false;
    now += 2_000;
    await callModel(own, call('b', ['primary']));
    expect(told).toMatchObject([{ limits: { tokensPerMinute: 90_000, inputTokensPerMinute: 80_000 } }]);
  });

  test('a refusal that cannot be told to the cluster is tried again like every other', async () => {
    const { context, call, worker } = await setUp();
    const ledger = ledgerWith(worker.ledger, { reportQuota: () => Promise.reject(new Error('Redis is away')) });
    const pools = new Pools({ limits: new Map(), ledger, clock: systemClock, random: Math.random });
    primary.answer = () =>
      primary.calls.length === 1
        ? { status: 429, error: { message: 'slow down' }, headers: { 'retry-after': '0.05' } }
        : { content: '{"summary":"well"}' };
    expect((await callModel({ ...context, pools }, call('a', ['primary']))).model).toBe('small-primary');
  });

  test('a slice that stops while its call is being admitted sends nothing and holds nothing', async () => {
    const { context, call, worker, slice } = await setUp();
    let sent = 0;
    const ledger = ledgerWith(worker.ledger, {
      admit: async (ticket) => {
        const admission = await worker.ledger.admit(ticket);
        slice.stop({ kind: 'paused' });
        return admission;
      },
    });
    const pools = new Pools({ limits: new Map(), ledger, clock: systemClock, random: Math.random });
    const answer = () => {
      sent += 1;
      return Promise.resolve({});
    };
    const own = { ...answering(context, answer), ledger, pools };
    expect(await reasonOf(callModel(own, call('a', ['primary'])))).toEqual({ kind: 'paused' });
    expect(sent).toBe(0);
    expect(await worker.ledger.totals(batchScope(slice.claim.batchId))).toMatchObject({
      held: 0,
      settled: 0,
      uncertain: 0,
    });
    expect(own.providers.get('primary')?.places.free).toBe(8);
  });

  test.each(['reply', 'failure'])('a settlement that fails after a %s frees the place', async (kind) => {
    const { context, call, worker } = await setUp();
    const ledger = ledgerWith(worker.ledger, { settle: () => Promise.reject(new Error('Redis is away')) });
    const pools = new Pools({ limits: new Map(), ledger, clock: systemClock, random: Math.random });
    const answer = () => (kind === 'reply' ? Promise.resolve({}) : Promise.reject(new RangeError('a mistake')));
    const own = { ...answering(context, answer), ledger, pools };
    await expect(callModel(own, call('a', ['primary']))).rejects.toThrow('Redis is away');
    expect(own.providers.get('primary')?.places.free).toBe(8);
  });
});

describe('callModel() with a long common beginning', () => {
  const withPrefix = (call: Call): Call => {
    const [{ model, request }] = call.routes;
    const system = { role: 'system', content: 'Rules. '.repeat(1_000) } as const;
    return { ...call, routes: [routeTo(model, { ...request, messages: [system, ...request.messages] })] };
  };

  test('the first call goes alone, and the others follow together', async () => {
    const { context, call } = await setUp({ hasPromptCache: true });
    primary.holdAfter(0);
    const calls = Array.from({ length: 6 }, (_, n) =>
      callModel(context, withPrefix(call(`document ${n}`, ['primary']))),
    );
    await primary.until((model) => model.count('waiting') === 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(primary.calls).toHaveLength(1);
    primary.holdAfter(1);
    await primary.until((model) => model.count('waiting') === 5);
    primary.release();
    await Promise.all(calls);
  });

  test('a slice that stops does not wait for another slice’s first call', async () => {
    const { context, call } = await setUp({ hasPromptCache: true });
    primary.holdAfter(0);
    const first = callModel(context, withPrefix(call('first', ['primary'])));
    await primary.until((model) => model.count('waiting') === 1);
    const other = new SliceRun(await cluster.claim(await cluster.queuedBatch()), new Map());
    const second = reasonOf(callModel(context, { ...withPrefix(call('second', ['primary'])), owner: other }));
    // Long enough that it waits for the first one.
    await new Promise((resolve) => setTimeout(resolve, 50));
    other.stop({ kind: 'paused' });
    expect(await Promise.race([second, first])).toEqual({ kind: 'paused' });
    primary.release();
    await first;
    expect(primary.calls).toHaveLength(1);
  }, 5_000);

  test('when the first call fails, the next one leads', async () => {
    const { context, call } = await setUp({ hasPromptCache: true });
    primary.answer = () =>
      primary.calls.length === 1
        ? { status: 400, error: { message: 'content filter' } }
        : { content: '{"summary":"well"}' };
    const results = await Promise.allSettled(
      Array.from({ length: 4 }, (_, n) => callModel(context, withPrefix(call(`document ${n}`, ['primary'])))),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  });
});
