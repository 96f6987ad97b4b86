import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { HEAD_START_TOKENS, priorityAt, type ShareClaim, shareOf } from '../../src/batches/fair-share.ts';

const HOUR_MS = 3_600_000;
const NOW = Date.parse('2026-11-22T22:00:00Z');

const claim = (fields: Partial<ShareClaim> = {}): ShareClaim => ({
  batchId: 'night-1',
  priority: 0,
  documents: 100,
  inputTokens: 85_000,
  slices: 10,
  ...fields,
});

const times = fc.oneof(fc.nat({ max: 2 ** 31 - 1 }), fc.maxSafeInteger().map(Math.abs));

describe('priorityAt()', () => {
  test('priorityAt() is a whole number that BullMQ takes, and never 0, which would go before all others', () => {
    fc.assert(
      fc.property(times, (time) => {
        const priority = priorityAt(time);
        expect(Number.isInteger(priority)).toBe(true);
        expect(priority).toBeGreaterThanOrEqual(1);
        expect(priority).toBeLessThanOrEqual(2_097_151);
      }),
    );
    expect([0, 31, 32, 64].map(priorityAt)).toEqual([1, 1, 2, 3]);
    expect(priorityAt(Number.MAX_SAFE_INTEGER)).toBe(2_097_151);
  });

  test('priorityAt() never puts a later time first', () => {
    fc.assert(
      fc.property(times, times, (a, b) => {
        expect(Math.sign(priorityAt(a) - priorityAt(b)) * Math.sign(a - b)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test('priorityAt() tells times apart that are 32 tokens and 1/65,536th of themselves from each other', () => {
    const limit = 2 ** 52;
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 31 - 1 }), fc.integer({ min: 0, max: 21 }), (mantissa, doublings) => {
        const time = mantissa * 2 ** doublings;
        fc.pre(time < limit);
        expect(priorityAt(time + 32 + Math.ceil(time / 65_536))).toBeGreaterThan(priorityAt(time));
      }),
    );
  });

  test('priorityAt() after ten million documents of a thousand tokens each still tells one full slice from the next', () => {
    expect(priorityAt(1e10 + 160_000)).toBeGreaterThan(priorityAt(1e10));
  });
});

describe('shareOf()', () => {
  it('shareOf() makes the tenant the flow, or the batch where there is none', () => {
    expect(shareOf(claim({ tenant: 'acme' }), NOW).flow).toBe('tenant:acme:0');
    expect(shareOf(claim({ tenant: 'acme', batchId: 'other' }), NOW).flow).toBe('tenant:acme:0');
    expect(shareOf(claim(), NOW).flow).toBe('batch:night-1');
  });

  it('shareOf() counts the tokens of a mean slice, and 150 around each document', () => {
    expect(shareOf(claim(), NOW).span).toBe(8_500 + 10 * 150);
    expect(shareOf(claim({ documents: 0, inputTokens: 0, slices: 1 }), NOW).span).toBe(1);
  });

  it('shareOf() halves the part with each priority, so that all of a tenant together have less than two', () => {
    const spans = [0, 1, 2, 10, 11, 2_000_000].map((priority) => shareOf(claim({ priority }), NOW).span);
    expect(spans).toEqual([1, 2, 4, 1_024, 1_024, 1_024].map((times) => times * 10_000));
    const flows = new Map(
      Array.from({ length: 50 }, (_, priority) => shareOf(claim({ tenant: 'acme', priority }), NOW)).map((share) => [
        share.flow,
        10_000 / share.span,
      ]),
    );
    expect([...flows.values()].reduce((sum, part) => sum + part)).toBeLessThan(2);
  });

  it('shareOf() gives a head start only to priority 0', () => {
    expect(shareOf(claim(), NOW).headStart).toBe(HEAD_START_TOKENS);
    expect(shareOf(claim({ priority: 1 }), NOW).headStart).toBe(0);
  });

  it('shareOf() gives a batch with a deadline a flow of its own and a larger part as it comes near', () => {
    const spanIn = (hours: number) => shareOf(claim({ tenant: 'acme', deadline: NOW + hours * HOUR_MS }), NOW).span;
    expect([48, 24, 12, 6, 3, 1, 0, -5].map(spanIn)).toEqual([
      10_000, 10_000, 5_000, 2_500, 1_250, 1_250, 1_250, 1_250,
    ]);
    expect(shareOf(claim({ tenant: 'acme', deadline: NOW + HOUR_MS }), NOW).flow).toBe('batch:night-1');
  });
});
