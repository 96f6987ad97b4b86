import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { rateLimitedReply } from '../../src/simulator/http-reply.ts';
import { formatDuration, ModelLimiter } from '../../src/simulator/model-limiter.ts';
import type { RateLimits } from '../../src/simulator/options.ts';
import { startSimulator } from '../../src/simulator/start-simulator.ts';
import { TokenBucket } from '../../src/simulator/token-bucket.ts';
import type { TrafficSecond } from '../../src/simulator/traffic.ts';
import { classify, control, errorOf, PLAIN_MODEL, post, QUICK } from './simulator-client.ts';

const start = (limits: RateLimits) => startSimulator({ ...QUICK, models: { plain: { ...PLAIN_MODEL, limits } } });

interface Stats {
  readonly requests: number;
  readonly refusals: Readonly<Record<string, number>>;
  readonly models: { readonly plain: { readonly limits: RateLimits; readonly perSecond: readonly TrafficSecond[] } };
}

describe('TokenBucket', () => {
  it('a bucket lets one second of its limit through at once and then the limit', () => {
    const bucket = new TokenBucket(600);
    let passed = 0;
    for (let nowMs = 0; nowMs <= 10_000; nowMs++) {
      while (bucket.waitMs(1, nowMs) === 0) {
        bucket.take(1, nowMs);
        passed += 1;
      }
    }
    expect(passed).toBe(10 + 100);
  });

  it('a bucket says exactly how long to wait', () => {
    const bucket = new TokenBucket(600);
    bucket.take(10, 0);
    expect(bucket.waitMs(3, 100)).toBeCloseTo(200, 6);
    expect(bucket.waitMs(3, 299)).toBeGreaterThan(0);
    expect(bucket.waitMs(3, 300)).toBe(0);
  });

  it('a request larger than the bucket passes when it is full and is paid off before the next', () => {
    const bucket = new TokenBucket(600);
    expect(bucket.waitMs(50, 0)).toBe(0);
    bucket.take(50, 0);
    expect(bucket.available(0)).toBe(0);
    expect(bucket.waitMs(1, 0)).toBeCloseTo(4100, 6);
    expect(bucket.waitMs(50, 4900)).toBeCloseTo(100, 6);
  });

  it('what is given back can be taken again, and never more than the bucket holds', () => {
    const bucket = new TokenBucket(600);
    bucket.take(10, 0);
    bucket.take(-4, 0);
    expect(bucket.available(0)).toBe(4);
    bucket.take(-400, 0);
    bucket.take(0, 0);
    expect(bucket.available(0)).toBe(10);
  });
});

describe('formatDuration()', () => {
  it.each([
    [0, '0s'],
    [5.2, '6ms'],
    [1200, '1.2s'],
    [360_000, '6m0s'],
  ])('formatDuration(%d) is %s', (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });
});

describe('the limits of the simulator', () => {
  it.each([
    ['requests', { requestsPerMinute: 60 }],
    ['tokens', { tokensPerMinute: 60 * 500 }],
    ['inputTokens', { inputTokensPerMinute: 60 * 300 }],
    ['outputTokens', { outputTokensPerMinute: 60 * 300 }],
  ] as const)('calls at once are refused for %s, and pass after the time to wait', async (dimension, limits) => {
    // With a latency, so that all calls reserve their whole output at the same time.
    const latency = { p50Ms: 50, p95Ms: 50 };
    await using simulator = await startSimulator({
      ...QUICK,
      models: { plain: { ...PLAIN_MODEL, latency, limits } },
    });
    const replies = await Promise.all(Array.from({ length: 12 }, (_, n) => post(simulator.url, classify(`Text ${n}`))));
    const refused = replies.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(12);
    expect(simulator.totals().refusals).toMatchObject({ concurrency: 0, [dimension]: refused.length });
    expect(simulator.totals().calls).toBe(12 - refused.length);
    expect(errorOf(refused[0]!).code).toBe('rate_limit_exceeded');
    const waitMs = Number(refused[0]!.headers.get('retry-after-ms'));
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThanOrEqual(1000);
    expect(Number(refused[0]!.headers.get('retry-after'))).toBeCloseTo(waitMs / 1000, 9);
    // A timer may be a millisecond early. The text is as long as the others.
    await delay(waitMs + 2);
    expect((await post(simulator.url, classify('Text x'))).status).toBe(200);
  });

  it('every reply says the limit, what is left of it and when it is full again', async () => {
    await using simulator = await start({ requestsPerMinute: 600, tokensPerMinute: 600_000 });
    const { headers } = await post(simulator.url, classify('One'));
    expect(headers.get('x-ratelimit-limit-requests')).toBe('600');
    expect(headers.get('x-ratelimit-remaining-requests')).toBe('9');
    expect(headers.get('x-ratelimit-reset-requests')).toMatch(/^(\d\d|100)ms$/);
    expect(headers.get('x-ratelimit-limit-tokens')).toBe('600000');
    const used = simulator.totals().inputTokens + simulator.totals().outputTokens;
    // Unused output came back, so no more is gone than the call used.
    expect(Number(headers.get('x-ratelimit-remaining-tokens'))).toBeGreaterThanOrEqual(10_000 - used);
    expect(headers.get('x-ratelimit-reset-tokens')).toMatch(/ms$/);
  });

  it('a client that is too fast is refused, and the series shows the limit fully used and not exceeded', async () => {
    const tokensPerMinute = 600_000;
    await using simulator = await start({ tokensPerMinute });
    const runSeconds = 3.5;
    const end = performance.now() + runSeconds * 1000;
    let count = 0;
    const hurry = async () => {
      while (performance.now() < end) {
        count += 1;
        const reply = await post(simulator.url, classify(`Text ${count} ${'word '.repeat(20)}`, { max_tokens: 50 }));
        if (reply.status === 429) await delay(Number(reply.headers.get('retry-after-ms')));
      }
    };
    await Promise.all(Array.from({ length: 12 }, hurry));
    const stats = await control<Stats>(simulator.url, '/stats');
    expect(stats.requests).toBe(count);
    expect(stats.refusals.tokens).toBeGreaterThan(20);
    expect(stats.models.plain.limits).toEqual({ tokensPerMinute });
    const series = stats.models.plain.perSecond;
    const tokens = (second: TrafficSecond) => second.inputTokens + second.outputTokens;
    const { inputTokens, outputTokens, calls } = simulator.totals();
    expect(series.reduce((sum, second) => sum + tokens(second), 0)).toBe(inputTokens + outputTokens);
    expect(series.reduce((sum, { admitted }) => sum + admitted, 0)).toBe(calls);
    expect(series.reduce((sum, { refused }) => sum + refused, 0)).toBe(stats.refusals.tokens);
    // In all: one second of burst and the limit over the time.
    const perSecond = tokensPerMinute / 60;
    const share = (inputTokens + outputTokens) / (perSecond * (runSeconds + 1));
    expect(share).toBeGreaterThan(0.96);
    expect(share).toBeLessThan(1.03);
    // Any run of seconds: at most its share and the burst (2 % because output counts when it is made, not reserved).
    for (const [first] of series.entries()) {
      for (let count = 1; first + count <= series.length; count++) {
        const sum = series.slice(first, first + count).reduce((total, second) => total + tokens(second), 0);
        expect(sum).toBeLessThan(perSecond * (count + 1) * 1.02);
      }
    }
  });
});

describe('the manners of a provider', () => {
  const one = { inputTokens: 1, maxOutputTokens: 0 };

  it('a refused request is taken off the limit where refusals count, for a minute at most', () => {
    const limiter = new ModelLimiter({ requestsPerMinute: 60 }, { refusalsCount: true });
    expect(limiter.admit(one, 0)).toEqual({ admitted: true });
    for (let n = 0; n < 100; n += 1) expect(limiter.admit(one, 10)).toMatchObject({ admitted: false });
    expect(limiter.admit(one, 59_000)).toMatchObject({ admitted: false });
    expect(limiter.admit(one, 200_000)).toEqual({ admitted: true });
  });

  it('a minute is counted again, and a refusal waits for the next one', () => {
    const limiter = new ModelLimiter({ requestsPerMinute: 2 }, { window: 'minute', headers: 'none' });
    for (let n = 0; n < 2; n += 1) expect(limiter.admit(one, 50_000)).toEqual({ admitted: true });
    expect(limiter.admit(one, 50_000)).toMatchObject({ admitted: false, retryAfterMs: 10_000 });
    expect(limiter.admit(one, 60_000)).toEqual({ admitted: true });
    expect(limiter.headers(60_000)).toEqual({});
  });

  it('a 429 names its wait in milliseconds, in seconds, or not at all, and headers may have no reset', () => {
    const headersOf = (waits: 'exact' | 'seconds' | 'none') =>
      rateLimitedReply('m', 'requests', 1_200, {}, waits).headers;
    expect(headersOf('exact')).toEqual({ 'retry-after': '1.2', 'retry-after-ms': '1200' });
    expect(headersOf('seconds')).toEqual({ 'retry-after': '2' });
    expect(headersOf('none')).toEqual({});
    const limiter = new ModelLimiter({ requestsPerMinute: 600 }, { headers: 'noReset' });
    expect(Object.keys(limiter.headers(0))).toEqual(['x-ratelimit-limit-requests', 'x-ratelimit-remaining-requests']);
  });
});
