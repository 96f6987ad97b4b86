import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createOpenAiClient } from '../../src/adapters/openai-compatible/client.ts';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import { type Call, routeTo } from '../../src/calls/call.ts';
import type { CallModelContext } from '../../src/calls/call-context.ts';
import { callModel } from '../../src/calls/call-model.ts';
import { SliceRun } from '../../src/calls/slice-run.ts';
import { CallFailedError, StopError } from '../../src/calls/stop.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import type { PoolLimits } from '../../src/ledger/pool-limits.ts';
import { batchScope } from '../../src/ledger/scope.ts';
import { NO_USAGE } from '../../src/money/usage.ts';
import type { ModelReply } from '../../src/providers/model-client.ts';
import { PromptPrefixes } from '../../src/providers/prompt-prefixes.ts';
import { ProviderGate } from '../../src/providers/provider-gate.ts';
import { Pools } from '../../src/quota/pools.ts';
import { InputRatios } from '../../src/quota/token-ratios.ts';
import type { ModelRequest } from '../../src/requests/model-request.ts';
import type { ModelSpec, Spread } from '../../src/workflows/workflow.ts';
import { Cluster, type TestWorker } from '../adapters/redis/fixture.ts';
import { HttpModel, MODEL_PRICES } from '../helpers/http-model.ts';
import { type RedisServer, startRedisServer } from '../helpers/redis-server.ts';

const PATIENCE_MS = 1_500;

let server: RedisServer;
let cluster: Cluster;
let primary: HttpModel;
let backup: HttpModel;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  cluster = new Cluster(await server.connect());
  primary = await HttpModel.start();
  backup = await HttpModel.start();
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await primary[Symbol.asyncDispose]();
  await backup[Symbol.asyncDispose]();
  await cluster.stop();
});

function modelOf(provider: string): ModelSpec {
  return {
    name: `small-${provider}`,
    provider,
    pool: provider,
    id: 'small-2026-01-01',
    contextTokens: 32_768,
    maxOutputTokens: 100,
    price: MODEL_PRICES['small-2026-01-01']!,
    structuredOutput: 'prompt',
    logprobs: false,
  };
}

function gateOf(name: string, url: string, concurrency: number, hasPromptCache = false): ProviderGate {
  const client = createOpenAiClient({
    name,
    baseUrl: url,
    timeoutMs: 10_000,
    capabilities: {
      maxTokensField: 'max_tokens',
      structuredOutput: 'prompt',
      logprobs: false,
      temperature: true,
      promptCache: 'none',
      reasoning: 'effort',
    },
  });
  closing.push(() => client.close());
  return new ProviderGate({ name, client, concurrency, patienceMs: PATIENCE_MS, clock: systemClock, hasPromptCache });
}

interface Setting {
  readonly context: CallModelContext;
  readonly slice: SliceRun;
  readonly worker: TestWorker;
  /** Calls with the text go to `primary`, and to `backup` where that is named. */
  readonly call: (text: string, providers?: readonly string[]) => Call;
}

async function setUp(
  options: {
    readonly limits?: ReadonlyMap<string, PoolLimits>;
    readonly urls?: Readonly<Record<string, string>>;
    readonly concurrency?: number;
    readonly hasPromptCache?: boolean;
  } = {},
): Promise<Setting> {
  const { claim, ...worker } = await cluster.workerWithSlice();
  const urls = { primary: primary.url, backup: backup.url, ...options.urls };
  const slice = new SliceRun(claim, new Map());
  const context: CallModelContext = {
    ledger: worker.ledger,
    providers: new Map(
      Object.entries(urls).map(([name, url]) => [
        name,
        gateOf(name, url, options.concurrency ?? 8, options.hasPromptCache),
      ]),
    ),
    pools: new Pools({
      limits: options.limits ?? new Map(),
      ledger: worker.ledger,
      clock: systemClock,
      random: Math.random,
    }),
    prefixes: new PromptPrefixes(systemClock),
    clock: systemClock,
    ratios: new InputRatios(),
    random: () => 0,
    newId: randomUUID,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    maxAttempts: 5,
  };
  const call = (text: string, providers: readonly string[] = ['primary', 'backup']): Call => {
    const request: ModelRequest = {
      modelId: 'small-2026-01-01',
      messages: [{ role: 'user', content: text }],
      maxOutputTokens: 50,
    };
    const [first = 'primary', ...others] = providers;
    return {
      owner: slice,
      document: 0,
      tier: 0,
      routes: [routeTo(modelOf(first), request), ...others.map((name) => routeTo(modelOf(name), request))],
    };
  };
  return { context, slice, worker, call };
}

const outage = () => ({ status: 503, error: { message: 'overloaded' } });
const DEAD = 'http://127.0.0.1:9';

async function reasonOf(promise: Promise<unknown>) {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(StopError);
  return (error as StopError).reason;
}

describe('callModel() with several hosts of one model', () => {
  const spreadBy = (call: Call, by: Spread): Call => ({ ...call, spread: { hosts: call.routes.length, by } });

  test('by quota each host gets the part that its limits allow, and none stands in for another', async () => {
    const limits = new Map([
      ['primary', { requestsPerMinute: 3_000 }],
      ['backup', { requestsPerMinute: 6_000 }],
    ]);
    const { context, call } = await setUp({ limits, concurrency: 64 });
    const calls = Array.from({ length: 60 }, (_, n) => callModel(context, spreadBy(call(`text ${n}`), 'quota')));
    const entries = await Promise.all(calls);
    expect(entries.filter(({ fallback }) => fallback === true)).toEqual([]);
    expect(entries.filter(({ model }) => model === 'small-primary')).toHaveLength(20);
    expect(backup.calls).toHaveLength(40);
  });

  test('without limits they share by places, and later calls count', async () => {
    const { context, call } = await setUp({ concurrency: 4 });
    await Promise.all(Array.from({ length: 8 }, (_, n) => callModel(context, spreadBy(call(`text ${n}`), 'quota'))));
    expect([primary.calls.length, backup.calls.length]).toEqual([4, 4]);
  });

  test('the cheapest is asked while it has room, then the other; the hold is at the price of the one that is asked', async () => {
    const limits = new Map([['backup', { requestsPerMinute: 1 }]]);
    const { context, call } = await setUp({ limits });
    const cheapBackup = (text: string): Call => {
      const { routes, ...rest } = spreadBy(call(text), 'cheapest');
      const [dear, cheap = dear] = routes;
      const price = { inputPerMillion: 1_000, cachedInputPerMillion: 1_000, outputPerMillion: 1_000 };
      return { ...rest, routes: [dear, { ...cheap, model: { ...cheap.model, price } }] };
    };
    const entries = [];
    for (const text of ['a', 'b', 'c']) entries.push(await callModel(context, cheapBackup(text)));
    expect(entries.map(({ model }) => model)).toEqual(['small-backup', 'small-primary', 'small-primary']);
    expect(entries[0]?.cost).toBeLessThan(entries[1]?.cost ?? 0);
  });

  test('one that is down is passed over, and what stands in is asked when all of them are', async () => {
    const { context, call } = await setUp({ urls: { primary: DEAD, other: DEAD } });
    const hosts = (text: string) => spreadBy(call(text, ['primary', 'backup']), 'quota');
    const entries = await Promise.all(Array.from({ length: 12 }, (_, n) => callModel(context, hosts(`text ${n}`))));
    expect(entries.map(({ model, fallback }) => [model, fallback])).toEqual(
      entries.map(() => ['small-backup', undefined]),
    );
    const both: Call = { ...call('last', ['primary', 'other', 'backup']), spread: { hosts: 2, by: 'quota' } };
    expect(await callModel(context, both)).toMatchObject({ model: 'small-backup', fallback: true });
  });
});

describe('callModel() with a provider that stands in', () => {
  test('asks only the first one while it is well', async () => {
    const { context, call } = await setUp();
    const entry = await callModel(context, call('a'));
    expect(entry).toMatchObject({ model: 'small-primary', cost: primary.billNano });
    expect(entry.fallback).toBeUndefined();
    expect(backup.calls).toHaveLength(0);
  });

  test('after two failures the call goes to the other one, and nothing stays held', async () => {
    const { context, call, slice, worker } = await setUp();
    primary.answer = outage;
    expect(await callModel(context, call('a'))).toMatchObject({ model: 'small-backup', fallback: true });
    expect(primary.calls).toHaveLength(2);
    expect(await worker.ledger.totals(batchScope(slice.claim.batchId))).toMatchObject({
      held: 0,
      settled: backup.billNano,
    });
  });

  test('during an outage calls no longer go to the broken provider, and they do again when it is well', async () => {
    const { context, call } = await setUp();
    primary.answer = outage;
    await Promise.all(Array.from({ length: 12 }, (_, n) => callModel(context, call(`broken ${n}`))));
    const before = primary.calls.length;
    const entries = await Promise.all(Array.from({ length: 20 }, (_, n) => callModel(context, call(`later ${n}`))));
    expect(entries.every(({ fallback }) => fallback === true)).toBe(true);
    // One may have been sent to find out.
    expect(primary.calls.length - before).toBeLessThanOrEqual(1);
    primary.reset();
    for (let n = 0; primary.count('answered') < 3; n += 1) {
      expect(n).toBeLessThan(300);
      await callModel(context, call(`well ${n}`));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect((await callModel(context, call('back'))).model).toBe('small-primary');
  }, 30_000);

  test('a wrong key or an empty account at one provider stops nothing while the other one answers', async () => {
    const { context, call, slice } = await setUp();
    primary.answer = () => ({ status: 401, error: { message: 'Incorrect API key provided', code: 'invalid_api_key' } });
    for (const text of ['a', 'b', 'c']) expect((await callModel(context, call(text))).fallback).toBe(true);
    expect(primary.calls).toHaveLength(1);
    expect(slice.reason).toBeUndefined();
  });

  test('when both are refused for good, the slice stops and the reason names the last one', async () => {
    const { context, call } = await setUp();
    for (const model of [primary, backup]) {
      model.answer = () => ({ status: 402, error: { message: 'no money', code: 'insufficient_quota' } });
    }
    const reason = await reasonOf(callModel(context, call('a')));
    expect(reason).toMatchObject({ kind: 'provider', provider: 'backup', hold: { retry: false } });
  });

  test('a reply that was bought from the stand-in is used again, also when the first one is well', async () => {
    const { context, call, slice } = await setUp();
    primary.answer = outage;
    const bought = await callModel(context, call('a'));
    primary.reset();
    backup.reset();
    const again = { ...call('a'), owner: new SliceRun(slice.claim, slice.journal) };
    expect(await callModel(context, again)).toEqual(bought);
    expect(primary.calls.length + backup.calls.length).toBe(0);
  });

  test('a long wait that the provider asks for sends the call to the other one, a short one does not', async () => {
    const { context, call } = await setUp();
    const limited = (seconds: string) => () => ({
      status: 429,
      error: { message: 'slow down' },
      headers: { 'retry-after': seconds },
    });
    let refusals = 0;
    primary.answer = () => {
      refusals += 1;
      return refusals === 1 ? limited('0.05')() : { content: '{"summary":"well"}' };
    };
    expect((await callModel(context, call('short'))).fallback).toBeUndefined();
    primary.answer = limited('50');
    expect((await callModel(context, call('long'))).fallback).toBe(true);
  });

  test('a long wait that another worker was told, or a day that is used up, sends the call to the other one too', async () => {
    const limits = new Map([['primary', { requestsPerDay: 1 }]]);
    const { context, call, worker, slice } = await setUp({ limits });
    await worker.ledger.reportQuota('primary', { refused: true, waitMs: 300_000 });
    expect((await callModel(context, call('asked'))).fallback).toBe(true);
    await cluster.redis.hset(cluster.keys.pool('primary'), 'after', 0);
    expect((await callModel(context, call('first of the day'))).fallback).toBeUndefined();
    expect((await callModel(context, call('second of the day'))).fallback).toBe(true);
    expect(slice.reason).toBeUndefined();
    expect(primary.calls).toHaveLength(1);
  });

  test('with nobody else, an unreachable provider stops the slice when patience is over, and is tried again later', async () => {
    const { context, call, slice, worker } = await setUp({ urls: { primary: DEAD } });
    const reason = await reasonOf(callModel(context, call('a', ['primary'])));
    expect(reason).toMatchObject({ kind: 'provider', provider: 'primary', hold: { retry: true } });
    expect((await worker.ledger.totals(batchScope(slice.claim.batchId))).held).toBe(0);
  }, 30_000);

  test('a document that a provider always answers with garbage fails after the allowed tries, each paid or booked', async () => {
    const { context, call, slice, worker } = await setUp();
    for (const model of [primary, backup]) model.answer = () => ({ status: 422, error: { message: 'cannot process' } });
    await expect(callModel(context, call('poison', ['primary']))).rejects.toThrow(CallFailedError);
    expect(primary.calls).toHaveLength(1);
    primary.reset();
    primary.answer = () => ({ status: 500, error: { message: 'internal' } });
    await expect(callModel(context, call('poison', ['primary']))).rejects.toThrow(/500|internal/);
    expect(primary.calls).toHaveLength(5);
    expect((await worker.ledger.totals(batchScope(slice.claim.batchId))).held).toBe(0);
  }, 30_000);
});

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

describe('InputRatios', () => {
  test('a count of more tokens than the request has bytes is a mistake and teaches no more than one token a byte', () => {
    const ratios = new InputRatios();
    const request: ModelRequest = {
      modelId: 'small',
      messages: [{ role: 'user', content: 'plain words '.repeat(100) }],
      maxOutputTokens: 10,
    };
    for (let n = 0; n < 5; n += 1) ratios.observe('small', request, 1_300, 9_007_199_254_740_991);
    expect(ratios.expected('small', 1_300)).toBe(1_300);
    expect(ratios.all.get('small')?.most).toBeLessThan(10);
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
      patienceMs: PATIENCE_MS,
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
      primary.calls.length === 1 ? { status: 422, error: { message: 'no' } } : { content: '{"summary":"well"}' };
    const results = await Promise.allSettled(
      Array.from({ length: 4 }, (_, n) => callModel(context, withPrefix(call(`document ${n}`, ['primary'])))),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  });
});
