import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type RateLimitState, readRateLimits } from '../../src/providers/read-rate-limits.ts';

const NOW = Date.parse('2026-11-22T02:00:00Z');
const read = (headers: Readonly<Record<string, string>>) => readRateLimits(headers, NOW);

describe('readRateLimits() on the headers of providers', () => {
  const samples: readonly (readonly [string, Readonly<Record<string, string>>, readonly RateLimitState[]])[] = [
    [
      'OpenAI, limits per minute',
      {
        'x-ratelimit-limit-requests': '5000',
        'x-ratelimit-limit-tokens': '160000',
        'x-ratelimit-limit-tokens_usage_based': '160000',
        'x-ratelimit-remaining-requests': '4999',
        'x-ratelimit-remaining-tokens': '159976',
        'x-ratelimit-reset-requests': '12ms',
        'x-ratelimit-reset-tokens': '9ms',
      },
      [
        { dimension: 'requests', limit: 5000, remaining: 4999, resetMs: 12, perDay: false },
        { dimension: 'tokens', limit: 160_000, remaining: 159_976, resetMs: 9, perDay: false },
      ],
    ],
    [
      'OpenAI, used up',
      {
        'x-ratelimit-limit-requests': '500',
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-requests': '1m0s',
      },
      [{ dimension: 'requests', limit: 500, remaining: 0, resetMs: 60_000, perDay: false }],
    ],
    [
      'OpenAI, requests per day: one of 10,000 comes back in 8.64 s',
      {
        'x-ratelimit-limit-requests': '10000',
        'x-ratelimit-remaining-requests': '9999',
        'x-ratelimit-reset-requests': '8.64s',
      },
      [{ dimension: 'requests', remaining: 9999, resetMs: 8640 }],
    ],
    [
      'Groq, requests per day and tokens per minute',
      {
        'retry-after': '2',
        'x-ratelimit-limit-requests': '14400',
        'x-ratelimit-limit-tokens': '18000',
        'x-ratelimit-remaining-requests': '14370',
        'x-ratelimit-remaining-tokens': '17997',
        'x-ratelimit-reset-requests': '2m59.56s',
        'x-ratelimit-reset-tokens': '7.66s',
      },
      [
        { dimension: 'requests', limit: 14_400, remaining: 14_370, resetMs: 179_560, perDay: true },
        { dimension: 'tokens', limit: 18_000, remaining: 17_997, resetMs: 7660, perDay: false },
      ],
    ],
    [
      'Anthropic',
      {
        'anthropic-ratelimit-requests-limit': '1000',
        'anthropic-ratelimit-requests-remaining': '999',
        'anthropic-ratelimit-requests-reset': '2026-11-22T02:00:01Z',
        'anthropic-ratelimit-tokens-limit': '540000',
        'anthropic-ratelimit-tokens-remaining': '540000',
        'anthropic-ratelimit-tokens-reset': '2026-11-22T02:00:00Z',
        'anthropic-ratelimit-input-tokens-limit': '450000',
        'anthropic-ratelimit-input-tokens-remaining': '0',
        'anthropic-ratelimit-input-tokens-reset': '2026-11-22T02:01:00Z',
        'anthropic-ratelimit-output-tokens-limit': '90000',
        'anthropic-ratelimit-output-tokens-remaining': '88000',
        'anthropic-ratelimit-output-tokens-reset': '2026-11-22T01:59:59Z',
        'anthropic-ratelimit-unified-status': 'allowed',
      },
      [
        { dimension: 'requests', limit: 1000, remaining: 999, resetMs: 1000, perDay: false },
        { dimension: 'tokens', limit: 540_000, remaining: 540_000, resetMs: 0, perDay: false },
        { dimension: 'inputTokens', limit: 450_000, remaining: 0, resetMs: 60_000, perDay: false },
        { dimension: 'outputTokens', limit: 90_000, remaining: 88_000, resetMs: 0, perDay: false },
      ],
    ],
    [
      'Mistral',
      {
        'x-ratelimit-limit-tokens-minute': '5000000',
        'x-ratelimit-remaining-tokens-minute': '4999911',
        'x-ratelimit-tokens-query-cost': '52',
        'x-ratelimit-limit-req-minute': '720',
        'x-ratelimit-remaining-req-minute': '717',
      },
      [
        { dimension: 'tokens', limit: 5_000_000, remaining: 4_999_911, perDay: false },
        { dimension: 'requests', limit: 720, remaining: 717, perDay: false },
      ],
    ],
    [
      'older Mistral, whose window is not named',
      { 'ratelimitbysize-limit': '2000000', 'ratelimitbysize-remaining': '0', 'ratelimitbysize-reset': '41' },
      [{ dimension: 'tokens', remaining: 0, resetMs: 41_000 }],
    ],
    [
      'Cerebras, per minute and per day',
      {
        'x-ratelimit-limit-requests-day': '14400',
        'x-ratelimit-remaining-requests-day': '14399',
        'x-ratelimit-reset-requests-day': '33011.382867',
        'x-ratelimit-limit-tokens-minute': '60000',
        'x-ratelimit-remaining-tokens-minute': '50',
        'x-ratelimit-reset-tokens-minute': '26.5',
      },
      [
        { dimension: 'requests', limit: 14_400, remaining: 14_399, resetMs: 33_011_383, perDay: true },
        { dimension: 'tokens', limit: 60_000, remaining: 50, resetMs: 26_500, perDay: false },
      ],
    ],
    [
      'both windows of one dimension',
      { 'x-ratelimit-limit-tokens-per-minute': '750000', 'x-ratelimit-limit-tokens-per-day': '8000000' },
      [
        { dimension: 'tokens', limit: 750_000, perDay: false },
        { dimension: 'tokens', limit: 8_000_000, perDay: true },
      ],
    ],
    [
      'Together, per second: no limit that could be taken for one per minute',
      {
        'x-ratelimit-limit': '10',
        'x-ratelimit-remaining': '9',
        'x-ratelimit-reset': '1',
        'x-tokenlimit-limit': '3000',
        'x-tokenlimit-remaining': '2900',
      },
      [
        { dimension: 'requests', remaining: 9, resetMs: 1000 },
        { dimension: 'tokens', remaining: 2900 },
      ],
    ],
    [
      'OpenRouter, with the reset in milliseconds since the epoch',
      {
        'x-ratelimit-limit': '20',
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(NOW + 30_000),
      },
      [{ dimension: 'requests', remaining: 0, resetMs: 30_000 }],
    ],
    [
      'a generic server, with the reset in seconds since the epoch',
      { 'ratelimit-limit': '100', 'ratelimit-remaining': '9', 'ratelimit-reset': String(NOW / 1000 + 6) },
      [{ dimension: 'requests', remaining: 9, resetMs: 6000 }],
    ],
    [
      'a month, which is no window of ours',
      { 'x-ratelimit-limit-tokens-month': '1000', 'x-ratelimit-remaining-tokens-month': '0' },
      [{ dimension: 'tokens', remaining: 0 }],
    ],
    ['no limits at all', { 'content-type': 'application/json', 'x-content-limit': '5', 'retry-after': '5' }, []],
  ];

  test.each(samples)('readRateLimits() reads %s', (_name, headers, expected) => {
    expect(read(headers)).toEqual(expected);
  });
});

describe('readRateLimits() on windows that no header names', () => {
  const requests = (limit: string, remaining: string, reset: string) =>
    read({
      'x-ratelimit-limit-requests': limit,
      'x-ratelimit-remaining-requests': remaining,
      'x-ratelimit-reset-requests': reset,
    })[0];

  test('readRateLimits() takes a fixed minute for one once a part of it is used', () => {
    expect(requests('600', '599', '59s')).not.toHaveProperty('limit');
    expect(requests('600', '300', '30s')).toMatchObject({ limit: 600, perDay: false });
  });

  test('readRateLimits() reads a bucket of a second of burst as per minute', () => {
    expect(requests('600', '9', '100ms')).toMatchObject({ limit: 600, perDay: false });
  });

  test('readRateLimits() leaves the limit out where nothing tells its window', () => {
    expect(requests('600', '600', '0s')).not.toHaveProperty('limit');
    expect(requests('600', 'many', '1s')).not.toHaveProperty('limit');
    expect(requests('600', '5', 'soon')).not.toHaveProperty('limit');
    expect(read({ 'x-ratelimit-limit-requests': '600' })).toEqual([{ dimension: 'requests', untoldLimit: 600 }]);
  });

  test('readRateLimits() takes tokens that come back after more than a minute for those of a day', () => {
    const headers = { 'x-ratelimit-limit-tokens': '100000', 'x-ratelimit-reset-tokens': '6m0s' };
    expect(read(headers)).toEqual([{ dimension: 'tokens', limit: 100_000, resetMs: 360_000, perDay: true }]);
  });
});

describe('readRateLimits() on bad values', () => {
  test.each(['', ' ', '-1', '1.5', '1e9', '0x10', 'NaN', 'Infinity', '5, 5', '9'.repeat(400)])(
    'readRateLimits() drops the counts %j',
    (value) => {
      expect(
        read({ 'anthropic-ratelimit-tokens-limit': value, 'anthropic-ratelimit-tokens-remaining': value }),
      ).toEqual([]);
    },
  );

  test('readRateLimits() drops a limit of 0, which nothing could pass', () => {
    expect(read({ 'anthropic-ratelimit-tokens-limit': '0', 'anthropic-ratelimit-tokens-remaining': '0' })).toEqual([
      { dimension: 'tokens', remaining: 0, perDay: false },
    ]);
  });

  test.each(['', 'soon', '-5', '-5s', '5 s', '5x', 's', '1h'.repeat(100), '999999999h', '2026-99-99T00:00:00Z', '1e3'])(
    'readRateLimits() drops the reset %j',
    (value) => {
      expect(read({ 'anthropic-ratelimit-tokens-reset': value })).toEqual([]);
    },
  );

  test("readRateLimits() measures points in time by the provider's clock where it tells it", () => {
    const headers = {
      date: 'Sun, 22 Nov 2026 05:00:00 GMT',
      'anthropic-ratelimit-tokens-reset': '2026-11-22T05:00:30Z',
    };
    expect(read(headers)[0]?.resetMs).toBe(30_000);
  });

  test('readRateLimits() gives sound numbers, or none, for any headers', () => {
    const names = fc.constantFrom(
      'x-ratelimit-limit-requests',
      'x-ratelimit-remaining-requests',
      'x-ratelimit-reset-requests',
      'x-ratelimit-limit-tokens-minute',
      'x-ratelimit-reset-tokens-day',
      'anthropic-ratelimit-input-tokens-reset',
      'ratelimit-reset',
      'x-tokenlimit-remaining',
      'date',
    );
    const values = fc.oneof(
      fc.string(),
      fc.integer().map(String),
      fc.double().map(String),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      fc.integer().map((count) => `${count}ms`),
    );
    fc.assert(
      fc.property(fc.dictionary(names, values), (headers) => {
        for (const { limit = 1, remaining = 0, resetMs = 0 } of read(headers)) {
          expect(Number.isSafeInteger(limit) && limit >= 1).toBe(true);
          expect(Number.isSafeInteger(remaining) && remaining >= 0).toBe(true);
          expect(Number.isSafeInteger(resetMs) && resetMs >= 0).toBe(true);
        }
      }),
    );
  });
});
