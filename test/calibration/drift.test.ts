import { describe, expect, test } from 'vitest';
import { afterSamples, capital, DRIFT_ALARM, DRIFT_BEGINNING } from '../../src/calibration/drift.ts';
import { seededRandom } from '../../src/calibration/random.ts';

const RUNS = 200;
const PROMISED = 0.1;
const IN_A_SLICE = 5;

/** Samples at which the alarm came in one run; undefined: it did not come. */
function alarmAt(seed: number, samples: number, rateAt: (sample: number) => number): number | undefined {
  const random = seededRandom(seed);
  let state = DRIFT_BEGINNING;
  for (let at = 0; at < samples; at += IN_A_SLICE) {
    const errors = Array.from({ length: IN_A_SLICE }, () => random() < rateAt(at)).filter(Boolean).length;
    state = afterSamples(state, { samples: IN_A_SLICE, errors }, PROMISED, at + IN_A_SLICE);
    if (state.alarmAt !== undefined) return state.alarmAt;
  }
  return undefined;
}

const alarms = (samples: number, rateAt: (sample: number) => number) =>
  Array.from({ length: RUNS }, (_, seed) => alarmAt(seed, samples, rateAt));

describe('the drift test', () => {
  test('alarms in at most its share of runs that only just keep the promise, however long they are', () => {
    const found = alarms(5_000, () => PROMISED).filter((at) => at !== undefined);
    // Five runs more than expected would be chance; twenty would not.
    expect(found.length / RUNS).toBeLessThanOrEqual(DRIFT_ALARM + 0.03);
  });

  test('finds ten points of errors more in mid-run within 600 audited documents, and nothing before', () => {
    for (const change of [500, 5000]) {
      const found = alarms(change + 600, (at) => (at < change ? 0.08 : 0.18));
      const early = found.filter((at) => at !== undefined && at <= change).length;
      const late = found.filter((at) => at === undefined).length;
      expect(early / RUNS).toBeLessThanOrEqual(DRIFT_ALARM);
      expect(late / RUNS).toBeLessThanOrEqual(0.05);
    }
  });

  test('a long good time does not use the capital up', () => {
    let state = DRIFT_BEGINNING;
    for (let slice = 0; slice < 4000; slice++) state = afterSamples(state, { samples: 5, errors: 0 }, PROMISED, slice);
    expect(capital(state)).toBeCloseTo(1, 6);
  });

  test('an alarm stays, and no samples change nothing', () => {
    const alarmed = { ...DRIFT_BEGINNING, alarmAt: 7 };
    expect(afterSamples(alarmed, { samples: 5, errors: 0 }, PROMISED, 9).alarmAt).toBe(7);
    expect(afterSamples(DRIFT_BEGINNING, { samples: 0, errors: 0 }, PROMISED, 9)).toBe(DRIFT_BEGINNING);
  });
});
