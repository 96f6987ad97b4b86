import { describe, expect, it } from 'vitest';
import { classifyHttpFailure } from '../../src/providers/classify-http-failure.ts';

const NOW = Date.parse('2026-11-29T18:00:00Z');
const waitOf = (headers: Readonly<Record<string, string>>, body: unknown = {}, status = 429) =>
  classifyHttpFailure(status, JSON.stringify(body), headers, NOW).retryAfterMs;

describe('a wait of 3 s', () => {
  it.each([
    '3',
    '3.0',
    '"3"',
    '3s',
    '3 seconds',
    'PT3S',
    '00:00:03',
    '3; comment',
    'Sun, 29 Nov 2026 18:00:03 GMT',
    'Sunday, 29-Nov-26 18:00:03 GMT',
    '2026-11-29T18:00:03Z',
    String(NOW / 1000 + 3),
    String(NOW + 3000),
    '3, 3',
    '1, Sun, 29 Nov 2026 18:00:03 GMT',
  ])('stands in retry-after: %s', (value) => {
    expect(waitOf({ 'retry-after': value })).toBe(3000);
  });

  it.each<Readonly<Record<string, string>>>([
    { 'x-retry-after': '3' },
    { 'retry-after-seconds': '3' },
    { 'retry-after-ms': '3000' },
    { 'x-retry-after-ms': '3000' },
    { 'x-ms-retry-after-ms': '3000' },
    { ratelimit: 'limit=10, remaining=0, reset=3' },
    { ratelimit: '"default";r=0;t=3' },
    { 'x-rate-limit-remaining': '0', 'x-rate-limit-reset': '3' },
    { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset-after': '3' },
  ])('stands in another header: %j', (headers) => {
    expect(waitOf(headers)).toBe(3000);
  });

  it.each([
    'Please try again in 3s.',
    'Please retry in 3.0s.',
    'Please retry after 3 seconds.',
    'Request was throttled. Expected available in 3 seconds.',
    'Rate limit exceeded. Wait 3 seconds.',
    'Please wait 3 seconds before retrying.',
    'Retry-After: 3',
    'rate limited; retry_after=3',
    'You can retry in 3 sec',
    'Limit resets in 3 seconds',
    'Quota will reset after 3s.',
    'Rate limit reached. Resets at: 2026-11-29T18:00:03Z',
    '请在3秒后重试',
    'Bitte versuchen Sie es in 3 Sekunden erneut',
  ])('stands in the message alone: %s', (message) => {
    expect(waitOf({}, { error: { message } })).toBe(3000);
  });

  it.each([
    { error: { message: 'x', retry_after: 3 } },
    { retry_after: '3' },
    { message: 'x', retryAfter: 3 },
    { error: { message: 'x', retry_after_ms: 3000 } },
    { error: { message: 'x', metadata: { retry_after_seconds: 3 } } },
    { error: { message: 'x', details: [{ retryDelay: '3s' }] } },
    { error: { message: 'x', details: [{ retryDelay: { seconds: 3 } }] } },
  ])('stands in a field of the body: %j', (body) => {
    expect(waitOf({}, body)).toBe(3000);
  });
});

describe('a wait', () => {
  it.each([
    ['again in 6m0s', 360_000],
    ['Please try again in 1 minute and 30 seconds', 90_000],
    ['try again in 200ms', 200],
    ['try again in 45m12.5s', 2_712_500],
  ])('is summed up: %s', (message, expected) => {
    expect(waitOf({}, { error: { message } })).toBe(expected);
  });

  it('of more than a minute is not told by the sentence of a status that may quote the document', () => {
    expect(waitOf({}, { error: { message: 'Invalid value: try again in 50 minutes' } }, 500)).toBeUndefined();
    expect(waitOf({}, { error: { message: 'Throttled: try again in 3 seconds' } }, 400)).toBe(3000);
    expect(waitOf({}, { error: { message: 'try again in 50 minutes' } }, 503)).toBe(3_000_000);
  });

  it('for the next day is as long as any, unless the provider says', () => {
    expect(waitOf({}, { error: { message: 'Too many tokens per day, please wait.' } })).toBe(3_600_000);
    expect(waitOf({}, { error: { message: 'Tokens per day: Limit 10. Please try again in 2m1s.' } })).toBe(121_000);
  });

  it.each(['soon', '', 'NaN', 'Infinity', '3 apples'])('is not told by retry-after: %j', (value) => {
    expect(waitOf({ 'retry-after': value })).toBeUndefined();
  });

  it.each(['Try again.', 'again 3 times', 'Limit 3, used 3s', 'version 3 seconds the motion'])(
    'is not told by: %s',
    (message) => {
      expect(waitOf({}, { error: { message } })).toBeUndefined();
    },
  );

  it('takes no time of a hostile message to read', () => {
    const started = performance.now();
    waitOf({ 'retry-after': '1 '.repeat(50_000) }, { error: { message: `again ${'3 '.repeat(5_000)}` } });
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});
