import { describe, expect, test } from 'vitest';
import { type RidgeTrainingSet, ridgeCandidates, ridgeScores } from '../../src/local-model/ridge-head.ts';
import { dot, normalise, type Vector } from '../../src/local-model/vectors.ts';

const LABELS = 3;

describe.each([
  { system: 'examples', count: 9, dimensions: 12 },
  { system: 'features', count: 25, dimensions: 6 },
])('ridgeCandidates(), solved in the $system', ({ count, dimensions }) => {
  const set = randomSet(count, dimensions);
  const priorWeights = [0, 0.3, 1];
  const candidates = [...ridgeCandidates(set, priorWeights)];

  test('gives leave-one-out scores equal to those of heads that were trained without the example', () => {
    for (let left = 0; left < count; left++) {
      const others = [...ridgeCandidates(without(set, left), priorWeights)];
      for (const [c, candidate] of candidates.entries()) {
        const expected = ridgeScores(others[c]!.head(), set.vectors[left]!);
        for (let label = 0; label < LABELS; label++) {
          expect(candidate.looScores[left]![label]).toBeCloseTo(expected[label]!, 6);
        }
      }
    }
  });

  test('minimises the weighted loss: no small step from the head lowers it', () => {
    for (const candidate of candidates) {
      const { penalty, priorWeight, rows } = candidate.head();
      const least = loss(set, rows, penalty, priorWeight);
      for (const step of [1e-3, -1e-3]) {
        for (let k = 0; k <= dimensions; k++) {
          const moved = rows.map((row) => row.map((value, i) => (i === k ? value + step : value)));
          expect(loss(set, moved, penalty, priorWeight)).toBeGreaterThan(least);
        }
      }
    }
  });
});

test('ridgeCandidates() with a heavy penalty stays near the zero-shot map', () => {
  const set = randomSet(4, 12);
  const scaled = { ...set, weights: set.weights.map(() => 1e-9) };
  const candidate = [...ridgeCandidates(scaled, [1])][0]!;
  const vector = set.vectors[0]!;
  for (const [label, labelVector] of set.labelVectors.entries()) {
    expect(ridgeScores(candidate.head(), vector)[label]).toBeCloseTo(dot(vector, labelVector), 5);
  }
});

function loss(set: RidgeTrainingSet, rows: readonly Float64Array[], penalty: number, priorWeight: number): number {
  let sum = 0;
  for (const [i, vector] of set.vectors.entries()) {
    const scores = ridgeScores({ penalty, priorWeight, rows }, vector);
    for (const [label, score] of scores.entries()) {
      sum += set.weights[i]! * ((set.labels[i] === label ? 1 : 0) - score) ** 2;
    }
  }
  for (const [label, row] of rows.entries()) {
    for (const [k, value] of row.entries())
      sum += penalty * (value - priorWeight * (set.labelVectors[label]![k] ?? 0)) ** 2;
  }
  return sum;
}

function without(set: RidgeTrainingSet, left: number): RidgeTrainingSet {
  const others = <T>(items: readonly T[]) => items.filter((_, i) => i !== left);
  return { ...set, vectors: others(set.vectors), labels: others(set.labels), weights: others(set.weights) };
}

function randomSet(count: number, dimensions: number): RidgeTrainingSet {
  let state = 7;
  const random = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647 - 0.5;
  };
  const vector = (): Vector => normalise(Float32Array.from({ length: dimensions }, random));
  return {
    vectors: Array.from({ length: count }, vector),
    labels: Array.from({ length: count }, (_, i) => i % LABELS),
    weights: Array.from({ length: count }, (_, i) => 1 + (i % 4)),
    labelVectors: Array.from({ length: LABELS }, vector),
  };
}
