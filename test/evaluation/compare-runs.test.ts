import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/calibration/random.ts';
import { compareRuns, mcNemar } from '../../src/evaluation/compare-runs.ts';
import type { Evaluation } from '../../src/evaluation/evaluation.ts';

function runOf(run: string, metric: string, scores: readonly number[]): Evaluation {
  const items = scores.map((score, index) => ({
    id: `${index}`,
    valid: 1 as const,
    scores: { [metric]: score },
    costUsd: 0,
  }));
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const rest = { workflow: 'w', evaluatedAt: '', hashes: {}, costUsd: 0, latencyMs: null };
  return { run, ...rest, documents: items.length, metrics: { [metric]: mean }, items };
}

const OPTIONS = { margin: 0, seed: 1 };

/** A run of 500 labels, and the same one again in which `churn` of them go either way and `drop` are lost. */
function simulate(random: () => number, drop: number, churn: number) {
  const before = Array.from({ length: 500 }, () => Number(random() < 0.9));
  const after = before.map((right) => {
    if (random() < churn) return 1 - right;
    return right === 1 && random() < drop / 0.9 ? 0 : right;
  });
  return compareRuns(runOf('old', 'accuracy', before), runOf('new', 'accuracy', after), OPTIONS).isRegression;
}

describe('compareRuns()', () => {
  test('catches a fall of 3 points on 500 documents at least 95 times in 100', () => {
    const random = seededRandom(1);
    const caught = Array.from({ length: 100 }, () => simulate(random, 0.03, 0.002)).filter(Boolean).length;
    expect(caught).toBeGreaterThanOrEqual(95);
  }, 60_000);

  test('takes noise for a regression at most 5 times in 100', () => {
    const random = seededRandom(2);
    const runs = Array.from({ length: 100 }, () => {
      const before = Array.from({ length: 500 }, () => Number(random() < 0.5));
      const after = before.map((right) => (random() < 0.04 ? 1 - right : right));
      return compareRuns(runOf('old', 'accuracy', before), runOf('new', 'accuracy', after), OPTIONS).isRegression;
    });
    expect(runs.filter(Boolean).length).toBeLessThanOrEqual(5);
  }, 60_000);

  test('a metric that is missing, or without a document in common, is a regression', () => {
    const old = runOf('old', 'accuracy', [1, 1]);
    expect(compareRuns(old, runOf('new', 'rougeL', [1, 1]), OPTIONS).isRegression).toBe(true);
    const others = runOf('new', 'accuracy', [1, 1]);
    const moved = { ...others, items: others.items.map((item) => ({ ...item, id: `other ${item.id}` })) };
    expect(compareRuns(old, moved, OPTIONS).isRegression).toBe(true);
  });

  test('a fall within the margin is none; other scores are compared by a paired bootstrap', () => {
    const before = Array.from({ length: 200 }, (_, index) => 0.5 + (index % 7) / 100);
    const after = before.map((score, index) => score - 0.02 - (index % 3) / 1000);
    const [old, now] = [runOf('old', 'rougeL', before), runOf('new', 'rougeL', after)];
    const found = compareRuns(old, now, OPTIONS);
    expect(found.isRegression).toBe(true);
    expect(found.metrics[0]?.why).toContain('paired bootstrap');
    expect(found.metrics[0]?.interval?.[1]).toBeLessThan(0);
    expect(compareRuns(old, now, { ...OPTIONS, margin: 0.03 }).isRegression).toBe(false);
  });

  test('says how many documents the margin takes, and what was lost', () => {
    const before = Array.from({ length: 100 }, () => 1);
    const found = compareRuns(
      runOf('old', 'accuracy', before),
      runOf(
        'new',
        'accuracy',
        before.map((_, index) => Number(index >= 4)),
      ),
      OPTIONS,
    );
    expect(found.lost).toEqual(['0', '1', '2', '3']);
    // 0.04 * (2.487 / 0.03)^2
    expect(found.power).toEqual({ margin: 0.03, documentsNeeded: 275 });
  });
});

test('mcNemar() is the binomial tail: 8 losses and 2 gains', () => {
  expect(mcNemar(8, 2)).toBeCloseTo(56 / 1024, 10);
  expect(mcNemar(0, 0)).toBe(1);
});
