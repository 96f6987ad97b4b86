import { describe, expect, test } from 'vitest';
import { type AnswerTable, isRight, meanOf } from '../../src/calibration/answer-table.ts';
import { calibrateCascade } from '../../src/calibration/calibrate-cascade.ts';
import { worthyModels } from '../../src/calibration/candidate-cascades.ts';
import { seededRandom } from '../../src/calibration/random.ts';

/** Three models, dearer ones better; confidence falls with an item's hardness, and `useful` says how well it does. */
function plant(items: number, seed: number, useful = true): AnswerTable {
  const random = seededRandom(seed);
  const hardness = Float64Array.from({ length: items }, random);
  const skills = [0.6, 0.75, 0.85];
  return {
    models: ['small', 'middle', 'large'],
    items,
    right: skills.map((skill) => Uint8Array.from(hardness, (hard) => Number(random() < (hard < skill ? 0.97 : 0.2)))),
    confidence: skills.map((skill) =>
      Float64Array.from(hardness, (hard) => (useful ? 1 / (1 + Math.exp(8 * (hard - skill) + random())) : random())),
    ),
    cost: [1, 4, 20].map((cost) => new Float64Array(items).fill(cost)),
  };
}

const WANTED = { metric: 'best-minus', target: 0.03, delta: 0.1 } as const;

describe('calibrateCascade()', () => {
  test('keeps its promise over all items in at least 1 - delta of the runs, for less than half of the dollars', () => {
    const table = plant(2_000, 21);
    const all = [...Array(table.items).keys()];
    const best = Math.max(...table.right.map((values) => meanOf(values, all)));
    let broken = 0;
    let cost = 0;
    const runs = 50;
    for (let seed = 0; seed < runs; seed++) {
      const { calibration, cascade } = calibrateCascade(table, { ...WANTED, seed });
      const right = all.filter((item) => isRight(table, cascade, item)).length / all.length;
      if (right < best - WANTED.target) broken++;
      cost += calibration.costShareOfStrongest / runs;
    }
    expect(broken / runs).toBeLessThanOrEqual(0.1);
    expect(cost).toBeLessThan(0.5);
  });

  test('tiers are named cheapest first, with a threshold for all but the last, and their shares add up', () => {
    const { calibration } = calibrateCascade(plant(3_000, 22), { ...WANTED, seed: 1 });
    const { tiers } = calibration;
    expect(calibration.fallback).toBeNull();
    expect(tiers.slice(0, -1).every(({ threshold }) => threshold !== undefined)).toBe(true);
    expect(tiers.at(-1)?.threshold).toBeUndefined();
    expect(tiers.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 10);
  });

  test('confidence that tells nothing gets no threshold: the strongest model answers, with the reason', () => {
    const { calibration } = calibrateCascade(plant(600, 23, false), { ...WANTED, seed: 1 });
    expect(calibration.tiers).toEqual([{ model: 'large', share: 1 }]);
    expect(calibration.costShareOfStrongest).toBe(1);
    expect(calibration.fallback?.reason).not.toBe('');
  });

  test('few labels: not promised, and says how many would do', () => {
    const { calibration } = calibrateCascade(plant(300, 24), { ...WANTED, target: 0.01, seed: 1, labels: 100 });
    expect(calibration.fallback?.labelsNeeded).toBeGreaterThan(100);
  });

  test('accuracy against the truth can be promised too', () => {
    const table = plant(3_000, 25);
    const { calibration, cascade } = calibrateCascade(table, { metric: 'accuracy', target: 0.75, delta: 0.1, seed: 2 });
    const all = [...Array(table.items).keys()];
    expect(calibration.fallback).toBeNull();
    expect(all.filter((item) => isRight(table, cascade, item)).length / all.length).toBeGreaterThan(0.75);
  });

  test('a model that costs more and is worse is left out', () => {
    const table = plant(1_000, 26);
    const dear = { ...table, cost: [table.cost[0], new Float64Array(1_000).fill(50), table.cost[2]] } as AnswerTable;
    expect(worthyModels(dear, [...Array(1_000).keys()])).toEqual([0, 2]);
  });
});
