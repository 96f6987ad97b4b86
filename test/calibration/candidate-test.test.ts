import { describe, expect, test } from 'vitest';
import { addCompared, CANDIDATE_ALARM, isWorse, NOTHING_COMPARED } from '../../src/calibration/candidate-test.ts';
import { seededRandom } from '../../src/calibration/random.ts';

const RUNS = 200;
const DOCUMENTS = 40_000;
const SHARE = 0.1;
const IN_A_SLICE = 5;

/** Compared documents until the candidate is stopped; undefined: it never is. */
function stoppedAt(seed: number, chances: { better: number; worse: number }, margin: number): number | undefined {
  const random = seededRandom(seed);
  let counts = NOTHING_COMPARED;
  while (counts.documents < DOCUMENTS * SHARE) {
    const draws = Array.from({ length: IN_A_SLICE }, random);
    const worse = draws.filter((draw) => draw < chances.worse).length;
    const better = draws.filter((draw) => draw >= 1 - chances.better).length;
    counts = addCompared(counts, { documents: IN_A_SLICE, better, worse });
    if (isWorse(counts, margin)) return counts.documents;
  }
  return undefined;
}

const runs = (chances: { better: number; worse: number }, margin = 0) =>
  Array.from({ length: RUNS }, (_, seed) => stoppedAt(seed, chances, margin));

describe('isWorse()', () => {
  test('a candidate that is five points worse is stopped before a fifth of the documents', () => {
    const late = runs({ better: 0.04, worse: 0.09 }).filter(
      (at) => at === undefined || at > (DOCUMENTS * SHARE) / 5,
    ).length;
    expect(late / RUNS).toBeLessThanOrEqual(0.05);
  });

  test('one that is as good, or worse by no more than the margin, is hardly ever stopped', () => {
    for (const [chances, margin] of [
      [{ better: 0.07, worse: 0.07 }, 0],
      [{ better: 0.05, worse: 0.08 }, 0.03],
    ] as const) {
      const stopped = runs(chances, margin).filter((at) => at !== undefined).length;
      expect(stopped / RUNS).toBeLessThanOrEqual(CANDIDATE_ALARM + 0.03);
    }
  });

  test('nothing is said of nothing, and a better one continues', () => {
    expect(isWorse(NOTHING_COMPARED, 0)).toBe(false);
    expect(isWorse({ documents: 5_000, better: 400, worse: 100 }, 0)).toBe(false);
    expect(isWorse({ documents: 500, better: 100, worse: 400 }, 0)).toBe(true);
  });
});
