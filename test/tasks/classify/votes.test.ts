import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeVotes, spreadOrder, tokensToDecide, type Vote } from '../../../src/tasks/classify/votes.ts';

const votesOf = (parts: number) =>
  fc.array(
    fc.record({
      label: fc.constantFrom('a', 'b', 'c'),
      confidence: fc.double({ min: 0, max: 1, noNaN: true }),
      tokens: fc.integer({ min: 1, max: 1000 }),
    }),
    { minLength: 1, maxLength: parts },
  );

describe('mergeVotes()', () => {
  it('weighs each part by its tokens and confidence', () => {
    const merged = mergeVotes([
      { label: 'billing', confidence: 0.5, tokens: 100 },
      { label: 'Bug', confidence: 0.9, tokens: 100 },
      { label: 'billing', confidence: 0.5, tokens: 100 },
    ]);
    expect(merged.label).toBe('billing');
    expect(merged.confidence).toBeCloseTo(1 / 3);
  });

  it('elects the majority where every part is sure of nothing', () => {
    const vote = (label: string) => ({ label, confidence: 0, tokens: 10 });
    expect(mergeVotes([vote('a'), vote('b'), vote('b')]).label).toBe('b');
  });

  it('counts parts that did not vote as unknown', () => {
    const vote = { label: 'a', confidence: 0.9, tokens: 100 };
    expect(mergeVotes([vote], 200)).toEqual({ label: 'a', confidence: 0.45 });
  });
});

describe('tokensToDecide()', () => {
  it('asks for more than half of a text before the first vote', () => {
    expect(tokensToDecide([], 1000)).toBe(500);
  });

  it('stops as soon as the lead is larger than what is left, and not before', () => {
    const lead: Vote[] = [{ label: 'a', confidence: 1, tokens: 501 }];
    expect(tokensToDecide(lead, 500)).toBe(0);
    expect(tokensToDecide(lead, 501)).toBe(0);
    expect(tokensToDecide(lead, 503)).toBe(1);
  });

  it('never stops where the parts that are left could elect another label', () => {
    fc.assert(
      fc.property(votesOf(9), votesOf(2), (given, rest) => {
        const left = rest.reduce((sum, { tokens }) => sum + tokens, 0);
        fc.pre(tokensToDecide(given, left) === 0);
        expect(mergeVotes([...given, ...rest]).label).toBe(mergeVotes(given).label);
      }),
      { numRuns: 500 },
    );
  });

  it('asks for the fewest tokens that may settle it: with fewer, no votes at all could', () => {
    fc.assert(
      fc.property(votesOf(12), fc.integer({ min: 1, max: 5000 }), (given, left) => {
        const needed = tokensToDecide(given, left);
        fc.pre(needed > 0);
        const { label } = mergeVotes(given);
        const stillNeeded = (tokens: number) =>
          tokensToDecide([...given, { label, confidence: 1, tokens }], left - tokens);
        expect(stillNeeded(Math.floor(needed * 0.999))).toBeGreaterThan(0);
        if (needed + 1 <= left) expect(stillNeeded(needed + 1)).toBe(0);
      }),
    );
  });
});

describe('spreadOrder()', () => {
  it('names every part once, and its beginnings are spread', () => {
    expect(spreadOrder(0)).toEqual([]);
    expect(spreadOrder(8)).toEqual([4, 2, 6, 1, 3, 5, 7, 0]);
    for (let length = 1; length < 300; length++) {
      const order = spreadOrder(length);
      expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length }, (_, index) => index));
      const early = [-1, ...order.slice(0, 15).toSorted((a, b) => a - b), length];
      const gaps = early.slice(1).map((at, index) => at - (early[index] ?? 0));
      if (length >= 15) expect(Math.max(...gaps)).toBeLessThanOrEqual(length / 8 + 2);
    }
  });
});
