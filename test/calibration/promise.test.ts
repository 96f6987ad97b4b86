import { describe, expect, test } from 'vitest';
import { certifiesFewErrors, certifiesSmallLoss } from '../../src/calibration/promise.ts';
import { seededRandom, shuffledIndices } from '../../src/calibration/random.ts';

describe('certifiesFewErrors()', () => {
  test('a sample without errors certifies as soon as it is large enough', () => {
    expect(certifiesFewErrors({ population: 10_000, drawn: 21, errors: 0 }, 1_000, 0.1)).toBe(false);
    expect(certifiesFewErrors({ population: 10_000, drawn: 22, errors: 0 }, 1_000, 0.1)).toBe(true);
  });

  test('nothing drawn certifies nothing, unless all may be wrong', () => {
    expect(certifiesFewErrors({ population: 100, drawn: 0, errors: 0 }, 10, 0.1)).toBe(false);
    expect(certifiesFewErrors({ population: 100, drawn: 0, errors: 0 }, 100, 0.1)).toBe(true);
  });

  test('is wrong in at most delta of the samples where the promise is just broken', () => {
    const random = seededRandom(1);
    const [population, drawn, marked, allowed] = [2_000, 300, 230, 200];
    let wrong = 0;
    const runs = 2_000;
    for (let run = 0; run < runs; run++) {
      const sample = shuffledIndices(population, random).slice(0, drawn);
      const errors = sample.filter((item) => item < marked).length;
      if (marked - errors > allowed && certifiesFewErrors({ population, drawn, errors }, allowed, 0.1)) wrong++;
    }
    expect(wrong / runs).toBeLessThanOrEqual(0.1);
  });
});

describe('certifiesSmallLoss()', () => {
  test('is wrong in at most delta of the samples where one loses just too many', () => {
    const random = seededRandom(2);
    const [population, drawn, allowed] = [1_000, 300, 50];
    // 151 losses and 100 gains: one more than allowed.
    let wrong = 0;
    const runs = 600;
    for (let run = 0; run < runs; run++) {
      const sample = shuffledIndices(population, random).slice(0, drawn);
      const losses = sample.filter((item) => item < 151).length;
      const gains = sample.filter((item) => item >= 151 && item < 251).length;
      if (certifiesSmallLoss({ population, drawn, losses, gains }, allowed, 0.1)) wrong++;
    }
    expect(wrong / runs).toBeLessThanOrEqual(0.12);
    expect(wrong / runs).toBeGreaterThan(0.01);
  });

  test('certifies an equal that differs rarely, and not one that differs often', () => {
    expect(certifiesSmallLoss({ population: 10_000, drawn: 400, losses: 4, gains: 4 }, 300, 0.1)).toBe(true);
    expect(certifiesSmallLoss({ population: 10_000, drawn: 400, losses: 90, gains: 90 }, 300, 0.1)).toBe(false);
  });

  test('nothing drawn certifies nothing', () => {
    expect(certifiesSmallLoss({ population: 100, drawn: 0, losses: 0, gains: 0 }, 10, 0.1)).toBe(false);
  });
});
