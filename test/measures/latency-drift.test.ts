import { describe, expect, it } from 'vitest';
import { LatencySum } from '../../src/measures/latency.ts';
import { canBeJudged, slowerModels, type TimedModel } from '../../src/measures/latency-drift.ts';

/** Calls that all took so long. */
function timed(ms: number, calls = 200, model = 'small'): TimedModel {
  const sum = new LatencySum();
  for (let call = 0; call < calls; call++) sum.add(ms, 10);
  return { model, provider: 'acme', latency: sum.total() as NonNullable<TimedModel['latency']> };
}

const nights = (count: number, ms: number, calls = 200) => Array.from({ length: count }, () => [timed(ms, calls)]);

describe('slowerModels()', () => {
  it('names a model whose p95 is half as much again as the median of the nights before', () => {
    expect(slowerModels([timed(1_600)], nights(7, 1_000))).toMatchObject([
      { model: 'small', provider: 'acme', batches: 7 },
    ]);
    expect(slowerModels([timed(1_400)], nights(7, 1_000))).toEqual([]);
  });

  it('notices a drift that is small from night to night, and forgets one slow night', () => {
    const drift = [1_000, 1_120, 1_250, 1_400, 1_570, 1_760, 1_970].map((ms) => [timed(ms)]);
    expect(slowerModels([timed(2_200)], drift)).toMatchObject([{ batches: 7 }]);
    expect(slowerModels([timed(1_600)], [...nights(6, 1_000), [timed(9_000)]])).toHaveLength(1);
  });

  it('says nothing with few calls, few nights, milliseconds of difference, or another host', () => {
    expect(slowerModels([timed(9_000, 199)], nights(7, 1_000))).toEqual([]);
    expect(slowerModels([timed(9_000)], nights(2, 1_000))).toEqual([]);
    expect(slowerModels([timed(9_000)], nights(3, 1_000, 199))).toEqual([]);
    expect(slowerModels([timed(100)], nights(7, 20))).toEqual([]);
    expect(slowerModels([{ ...timed(9_000), provider: 'other' }], nights(7, 1_000))).toEqual([]);
    expect(slowerModels([{ model: 'small' }], nights(7, 1_000))).toEqual([]);
  });

  it('adds up the tiers at which a model stands', () => {
    expect(canBeJudged([timed(1_000, 120), timed(1_000, 80)])).toBe(true);
    expect(canBeJudged([timed(1_000, 120), timed(1_000, 80, 'large')])).toBe(false);
  });
});
