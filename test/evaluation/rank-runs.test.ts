import { describe, expect, test } from 'vitest';
import type { Evaluation } from '../../src/evaluation/evaluation.ts';
import { rankRuns } from '../../src/evaluation/rank-runs.ts';

function runOf(run: string, right: number, costUsd: number, metric = 'accuracy'): Evaluation {
  const items = Array.from({ length: 10 }, (_, index) => ({
    id: `${index}`,
    valid: 1 as const,
    scores: { [metric]: Number(index < right) },
    got: index < right ? 'a' : 'b',
    expected: 'a',
    costUsd,
    durationMs: 100 * right,
  }));
  const rest = { workflow: 'w', evaluatedAt: '', hashes: {}, latencyMs: null };
  return { run, ...rest, documents: 10, costUsd: costUsd * 10, metrics: { [metric]: right / 10 }, items };
}

describe('rankRuns()', () => {
  test('ranks by quality per dollar, and marks what nothing beats in both', () => {
    const ranking = rankRuns([runOf('large', 9, 10), runOf('waste', 8, 20), runOf('small', 7, 1)]);
    expect(ranking?.runs.map(({ run, isOnFront }) => [run, isOnFront])).toEqual([
      ['small', true],
      ['large', true],
      ['waste', false],
    ]);
    expect(ranking?.runs[0]).toMatchObject({ quality: 0.7, costUsd: 1, qualityPerUsd: 0.7, medianMs: 700 });
  });

  test('an interval of right and wrong is exact, also where all are right', () => {
    const [run] = rankRuns([runOf('a', 10, 1), runOf('b', 10, 2)])?.runs ?? [];
    // 0.025^(1/10)
    expect(run?.interval[0]).toBeCloseTo(0.025 ** 0.1, 6);
    expect(run?.interval[1]).toBe(1);
  });

  test('lists documents that are answered differently', () => {
    expect(rankRuns([runOf('a', 9, 1), runOf('b', 10, 1)])?.disagreements).toEqual([
      { id: '9', expected: 'a', answers: { a: 'b', b: 'a' } },
    ]);
  });

  test('without a metric in common there is no ranking', () => {
    expect(rankRuns([runOf('a', 9, 1), runOf('b', 9, 1, 'rougeL')])).toBeUndefined();
  });
});
