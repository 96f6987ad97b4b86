import { describe, expect, test } from 'vitest';
import { catchAllLabel, withCatchAll } from '../../src/local-model/catch-all.ts';
import { labelScope } from '../../src/local-model/label-scope.ts';
import { normalise } from '../../src/local-model/vectors.ts';

const vector = (...values: number[]) => normalise(Float32Array.from(values));

test.each([
  [['billing', 'Other'], undefined, 1],
  [['none_of_these', 'billing'], undefined, 0],
  [['billing', 'N/A'], undefined, 1],
  [['billing', 'bug'], undefined, undefined],
  [['brother', 'mother'], undefined, undefined],
  [['billing', 'other', 'rest'], 'rest', 2],
])('the catch-all of %j is known by its name, or by fallbackLabel %j', (labels, fallbackLabel, index) => {
  expect(catchAllLabel(labels, fallbackLabel)).toBe(index);
});

const at = (...values: number[]) => ({ text: '', vector: vector(...values) });

describe('labelScope()', () => {
  const everyday = Array.from({ length: 10 }, (_, i) => at(0, 0, 1, 0.1 * i));

  test('by the descriptions alone, tells what is nearer to them than to everyday texts', () => {
    const fits = labelScope({ descriptions: [at(1, 0, 0, 0)], examples: [], everyday, outside: [] });
    expect(fits(vector(1, 0.3, 0, 0), '')).toBeGreaterThan(0.9);
    expect(fits(vector(0, 0.3, 1, 0.2), '')).toBeLessThan(0.1);
  });

  test('an everyday text that is near a label does not count against it', () => {
    const near = [...everyday.slice(0, 7), ...Array.from({ length: 3 }, (_, i) => at(1, 0.1 * i, 0, 0))];
    const fits = labelScope({ descriptions: [at(1, 0, 0, 0)], examples: [], everyday: near, outside: [] });
    expect(fits(vector(1, 0.2, 0, 0), '')).toBeGreaterThan(0.9);
  });

  test('with examples, nine in ten of their kind fit, and what lies elsewhere does not', () => {
    const point = (i: number) => at(1, 0.3 * Math.sin(i), 0, 0.3 * Math.cos(7 * i));
    const examples = Array.from({ length: 40 }, (_, i) => ({ ...point(i), label: 0 }));
    const fits = labelScope({ descriptions: [at(1, 0, 0, 0)], examples, everyday, outside: [] });
    const share =
      Array.from({ length: 100 }, (_, i) => fits(point(100 + i).vector, '')).filter((p) => p >= 0.5).length / 100;
    expect(share).toBeGreaterThanOrEqual(0.8);
    expect(share).toBeLessThan(1);
    expect(fits(vector(0.3, 1, 0.5, 0), '')).toBeLessThan(0.1);
  });

  test('between texts that the vectors do not tell apart, the letters decide', () => {
    const refunds = { text: 'Refunds: a refund that never came', vector: vector(1, 0, 0, 0) };
    const fits = labelScope({ descriptions: [refunds], examples: [], everyday, outside: [] });
    const unsure = vector(0.1, 1, 0, 0);
    expect(fits(unsure, 'when will you refund me')).toBeGreaterThan(0.6);
    expect(fits(unsure, 'who won the match')).toBeLessThan(0.6);
  });

  test('letters in common with everyday texts count against a text', () => {
    const football = Array.from({ length: 10 }, () => ({ text: 'who won the match', vector: vector(0, 0, 1, 0) }));
    const fits = labelScope({ descriptions: [at(1, 0, 0, 0)], examples: [], everyday: football, outside: [] });
    const unsure = vector(0.3, 1, 0, 0);
    expect(fits(unsure, 'won the match?')).toBeLessThan(0.1);
    expect(fits(unsure, 'my invoice is wrong')).toBeGreaterThan(0.5);
  });
});

test('withCatchAll() takes the catch-all where nothing fits, and is less sure of a label where it may not fit', () => {
  const classify = () => ({ label: 1, confidence: 0.9, likeExamples: false });
  const answer = (fits: number) => withCatchAll(classify, () => fits, { catchAll: 1, labels: [0, 2] })(vector(1), '');
  expect(answer(0.2)).toEqual({ label: 1, confidence: 0.8, likeExamples: true });
  expect(answer(0.9)).toEqual({ label: 2, confidence: expect.closeTo(0.81), likeExamples: false });
});
