import { describe, expect, test } from 'vitest';
import {
  binomialAtMost,
  hypergeometric,
  hypergeometricAtMost,
  hypergeometricUpper,
  labelsWithoutError,
  lowerRate,
  upperRate,
} from '../../src/calibration/tails.ts';

describe('exact tails', () => {
  test('hypergeometric() counts draws: 2 of 3 marked among 10, 4 drawn', () => {
    // C(3,2) * C(7,2) / C(10,4) = 3 * 21 / 210
    expect(hypergeometric({ size: 10, marked: 3, drawn: 4 }, 2)).toBeCloseTo(0.3, 10);
  });

  test('hypergeometricAtMost() sums them, and is 1 for all', () => {
    // C(7,4) / C(10,4) = 35 / 210
    expect(hypergeometricAtMost({ size: 10, marked: 3, drawn: 4 }, 0)).toBeCloseTo(1 / 6, 10);
    expect(hypergeometricAtMost({ size: 10, marked: 3, drawn: 4 }, 3)).toBeCloseTo(1, 10);
    expect(hypergeometricAtMost({ size: 10, marked: 9, drawn: 4 }, 2)).toBe(0);
  });

  test('hypergeometricUpper() is the last number of marked items that is not ruled out', () => {
    const upper = hypergeometricUpper(100, 20, 0, 0.1);
    expect(hypergeometricAtMost({ size: 100, marked: upper, drawn: 20 }, 0)).toBeGreaterThan(0.1);
    expect(hypergeometricAtMost({ size: 100, marked: upper + 1, drawn: 20 }, 0)).toBeLessThanOrEqual(0.1);
  });

  test('binomialAtMost() at known values', () => {
    expect(binomialAtMost(10, 0.5, 5)).toBeCloseTo(0.623046875, 10);
    expect(binomialAtMost(10, 0.5, 10)).toBe(1);
    expect(binomialAtMost(3, 0, 0)).toBe(1);
  });

  test("upperRate() and lowerRate() are Clopper and Pearson's", () => {
    // No error in 22: 1 - 0.1^(1/22)
    expect(upperRate(22, 0, 0.1)).toBeCloseTo(1 - 0.1 ** (1 / 22), 8);
    expect(upperRate(5, 5, 0.1)).toBe(1);
    expect(lowerRate(22, 22, 0.1)).toBeCloseTo(0.1 ** (1 / 22), 8);
  });

  test.each([
    [0.9, 22],
    [0.95, 45],
    [0.99, 230],
  ])('labelsWithoutError() for %d at a delta of 0.1 is %d', (target, labels) => {
    expect(labelsWithoutError(target, 0.1)).toBe(labels);
  });
});
