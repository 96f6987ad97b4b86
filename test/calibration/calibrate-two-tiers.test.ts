import { describe, expect, test } from 'vitest';
import { calibrateTwoTiers, type TwoTierOptions } from '../../src/calibration/calibrate-two-tiers.ts';
import { hindsightShare } from '../../src/calibration/hindsight.ts';
import type { CheapAnswer } from '../../src/calibration/pilot-sample.ts';
import { seededRandom } from '../../src/calibration/random.ts';

interface Planted {
  readonly answers: CheapAnswer[];
  readonly wrong: boolean[];
}

/** Label `a` is mostly right, `b` mostly wrong; errors fall with confidence in both. */
function plant(count: number, seed: number, rates = { a: 0.25, b: 1.2 }): Planted {
  const random = seededRandom(seed);
  const planted: Planted = { answers: [], wrong: [] };
  for (let item = 0; item < count; item++) {
    const label = random() < 0.7 ? 'a' : 'b';
    const confidence = Math.round((0.5 + random() / 2) * 200) / 200;
    planted.answers.push({ label, confidence });
    planted.wrong.push(random() < rates[label] * 2 * (1 - confidence));
  }
  return planted;
}

const TIERS = { cheap: { model: 'small', cost: 1 }, strong: { model: 'large', cost: 10 } };

function options({ wrong }: Planted, more: Partial<TwoTierOptions> = {}): TwoTierOptions {
  return {
    target: 0.9,
    delta: 0.1,
    seed: 1,
    ...TIERS,
    ask: (items) => Promise.resolve(items.map((item) => wrong[item] === true)),
    ...more,
  };
}

describe('calibrateTwoTiers()', () => {
  test('keeps its promise in at least 1 - delta of the runs, near what hindsight allows', async () => {
    const planted = plant(4_000, 5);
    let broken = 0;
    let share = 0;
    const runs = 60;
    for (let seed = 0; seed < runs; seed++) {
      const { calibration, accepted } = await calibrateTwoTiers(planted.answers, options(planted, { seed }));
      if (accepted.filter((item) => planted.wrong[item]).length > 400) broken++;
      share += calibration.oracleShare / runs;
    }
    expect(broken / runs).toBeLessThanOrEqual(0.1);
    const best = hindsightShare(planted.answers, planted.wrong, 0.9);
    expect(share - best).toBeLessThan(0.2);
  });

  test('gives each label its own threshold, the worse one a higher', async () => {
    const planted = plant(8_000, 6);
    const { calibration } = await calibrateTwoTiers(planted.answers, options(planted));
    const { a = 2, b = 2 } = calibration.tiers[0]?.thresholds ?? {};
    expect(calibration.fallback).toBeNull();
    expect(a).toBeLessThan(b);
  });

  test('takes a part of the answers with the same confidence, drawn by lot, where all of them would break the promise', async () => {
    const random = seededRandom(12);
    const answers = Array.from({ length: 8_000 }, (_, item) => ({
      label: 'a',
      confidence: item % 2 === 0 ? 0.95 : 0.85,
    }));
    const wrong = answers.map(({ confidence }) => random() < (confidence === 0.95 ? 0.01 : 0.15));
    const planted = { answers, wrong };
    const { calibration, accepted, labelled } = await calibrateTwoTiers(answers, options(planted, { target: 0.95 }));
    const [tier] = calibration.tiers;
    const share = tier?.ties?.['a'] ?? 0;
    expect(tier?.thresholds).toEqual({ a: 0.85 });
    expect(share).toBeGreaterThan(0.2);
    expect(share).toBeLessThan(0.9);
    const tied = (items: readonly number[]) => items.filter((item) => item % 2 === 1).length;
    expect(tied(accepted)).toBeLessThanOrEqual(share * 4_000);
    expect(tied(accepted) + tied(labelled)).toBeGreaterThanOrEqual(share * 4_000);
    let [left, broken] = [0, 0];
    for (let seed = 0; seed < 100; seed++) {
      const found = await calibrateTwoTiers(answers, options(planted, { target: 0.95, seed }));
      const errors = found.accepted.filter((item) => wrong[item]).length;
      left += errors / 100;
      if (errors > 400) broken++;
    }
    // Lots that are drawn with the sample would stop at half of what may be left.
    expect(left).toBeGreaterThan(270);
    // Where the chance is a tenth, more than 15 of 100 are seen once in 25 times.
    expect(broken).toBeLessThanOrEqual(15);
  });

  test('asks for each item once, and counts what it asks for as answered by the strong tier', async () => {
    const planted = plant(3_000, 7);
    const asked: number[] = [];
    const { accepted, labelled, calibration } = await calibrateTwoTiers(
      planted.answers,
      options(planted, {
        ask: (items) => {
          asked.push(...items);
          return Promise.resolve(items.map((item) => planted.wrong[item] === true));
        },
      }),
    );
    expect(new Set(asked).size).toBe(asked.length);
    expect(calibration.labelsUsed).toBe(asked.length);
    expect(accepted.some((item) => labelled.includes(item))).toBe(false);
    expect(calibration.oracleShare).toBeCloseTo(1 - accepted.length / 3_000, 10);
  });

  test('keeps to the most labels it may ask for', async () => {
    const planted = plant(3_000, 8);
    const { calibration } = await calibrateTwoTiers(planted.answers, options(planted, { labels: 120 }));
    expect(calibration.labelsUsed).toBeLessThanOrEqual(121);
  });

  test('same seed, same answer', async () => {
    const planted = plant(2_000, 9);
    const run = async () => (await calibrateTwoTiers(planted.answers, options(planted, { seed: 3 }))).calibration;
    expect(await run()).toEqual(await run());
  });

  test('too few labels for the target: says how many it takes', async () => {
    const planted = plant(60, 10);
    const { calibration } = await calibrateTwoTiers(planted.answers, options(planted, { target: 0.99, labels: 60 }));
    expect(calibration.fallback).toMatchObject({ labelsNeeded: 230 });
    expect(calibration.oracleShare).toBe(1);
  });

  test('confidences that are missing, not finite or out of range are never accepted', async () => {
    const planted = plant(3_000, 11, { a: 0, b: 0 });
    const broken = [undefined, Number.NaN, Number.POSITIVE_INFINITY, -1, 1.5];
    const answers = planted.answers.map((answer, item) =>
      item % 2 === 0 ? { ...answer, confidence: broken[(item / 2) % broken.length] } : answer,
    );
    const { accepted } = await calibrateTwoTiers(answers, options(planted));
    expect(accepted.length).toBeGreaterThan(1_000);
    expect(accepted.every((item) => item % 2 === 1)).toBe(true);
  });

  test('no confidence at all: falls back and says why', async () => {
    const planted = plant(500, 12);
    const answers = planted.answers.map(({ label }) => ({ label, confidence: undefined }));
    const { calibration } = await calibrateTwoTiers(answers, options(planted));
    expect(calibration.fallback?.reason).toContain('states no confidence');
  });

  test('confidence that runs the wrong way is not trusted', async () => {
    const random = seededRandom(13);
    const answers: CheapAnswer[] = Array.from({ length: 4_000 }, () => ({ label: 'a', confidence: random() }));
    const wrong = answers.map(({ confidence = 0 }) => random() < 0.3 + confidence / 2);
    const { calibration } = await calibrateTwoTiers(answers, options({ answers, wrong }));
    expect(calibration.fallback?.reason).toMatch(/no surer/);
  });

  test('a cheap tier that costs more than it saves is switched off', async () => {
    const planted = plant(3_000, 14);
    const { calibration } = await calibrateTwoTiers(
      planted.answers,
      options(planted, { cheap: { model: 'small', cost: 9 } }),
    );
    expect(calibration.fallback?.reason).toContain('save less than asking it costs');
  });
});
