import { describe, expect, test } from 'vitest';
import { type CheapAnswer, pilotSample } from '../../src/calibration/pilot-sample.ts';
import { seededRandom } from '../../src/calibration/random.ts';

const ANSWERS: readonly CheapAnswer[] = Array.from({ length: 2000 }, (_, at) => ({
  label: at % 4 === 0 ? 'rare' : 'usual',
  confidence: (at + 0.5) / 2000,
}));
const ALL = [...ANSWERS.keys()];

describe('pilotSample()', () => {
  test('takes as many as wanted, each once, and of each label its share', () => {
    const chosen = pilotSample(ALL, ANSWERS, 200, seededRandom(1));
    expect(new Set(chosen).size).toBe(200);
    const rare = chosen.filter((item) => ANSWERS[item]?.label === 'rare').length;
    expect(rare).toBeGreaterThanOrEqual(49);
    expect(rare).toBeLessThanOrEqual(51);
  });

  test('asks more where confidence is low, and a few everywhere', () => {
    const chosen = pilotSample(ALL, ANSWERS, 200, seededRandom(2));
    const inFifth = (fifth: number) =>
      chosen.filter((item) => Math.floor((ANSWERS[item]?.confidence ?? 0) * 5) === fifth).length;
    expect(inFifth(0)).toBeGreaterThan(2 * inFifth(4));
    expect(inFifth(4)).toBeGreaterThan(10);
  });

  test('takes all where there are no more', () => {
    const few = ALL.slice(0, 7);
    expect([...pilotSample(few, ANSWERS, 200, seededRandom(3))].sort((a, b) => a - b)).toEqual(few);
  });
});
