import { describe, expect, it } from 'vitest';
import type { WorkflowHistory } from '../../src/batches/workflow-history.ts';
import { forecastMonth } from '../../src/plans/month.ts';
import { acceptedBefore, NO_LOAD, type ScenarioOf, scenario, type TierLoad } from '../../src/plans/scenarios.ts';
import { SMALL } from '../helpers/memory/memory-app.ts';

const LARGE = { ...SMALL, name: 'large', provider: 'other' };
const LOCAL = { ...SMALL, name: 'local', provider: 'local' };
const CASCADE = [{ model: SMALL }, { model: LARGE }];
const load = (documents: number, costEach: number): TierLoad => ({
  documents,
  calls: documents,
  inputTokens: documents * 100,
  outputTokens: documents * 10,
  cost: documents * costEach,
});
const of = (more: Partial<ScenarioOf> = {}): ScenarioOf => ({
  cascade: CASCADE,
  loads: [{ start: 0, tiers: [load(1_000, 10), load(1_000, 100)] }],
  askingCost: 0,
  throughput: ({ model }) => [{ limits: {}, callsPerMinute: model === SMALL ? 100 : 10 }],
  ...more,
});

describe('scenario()', () => {
  it('passes on what a tier does not accept, and the slowest tier decides the time', () => {
    expect(scenario(of(), [0.8, 1], 'stated')).toEqual({
      accepted: [0.8, 1],
      from: 'stated',
      cost: 1_000 * 10 + 200 * 100,
      minutes: 20,
      tiers: [
        { model: 'small', documents: 1_000, calls: 1_000, cost: 10_000, minutes: 10 },
        { model: 'large', documents: 200, calls: 200, cost: 20_000, minutes: 20 },
      ],
    });
    expect(scenario(of(), [0.95, 1], 'stated')).toMatchObject({ cost: 15_000, minutes: 10 });
    expect(scenario(of(), [0, 1], 'stated')).toMatchObject({ cost: 110_000, minutes: 100 });
  });

  it('adds up the tiers of one quota, and the questions before the cascade', () => {
    const cascade = [{ model: SMALL }, { model: { ...LARGE, provider: 'acme' } }];
    const throughput = () => [{ limits: { requestsPerMinute: 100 }, callsPerMinute: 1_000 }];
    expect(scenario(of({ cascade, throughput, askingCost: 7 }), [0.5, 1], 'stated')).toMatchObject({
      cost: 60_007,
      minutes: 15,
    });
  });

  it('asks the tiers before a start about nothing', () => {
    const loads = [
      { start: 0, tiers: [load(600, 10), load(600, 100)] },
      { start: 1, tiers: [NO_LOAD, load(400, 100)] },
    ];
    const { tiers, cost } = scenario(of({ loads }), [0.5, 1], 'stated');
    expect(tiers.map(({ documents }) => documents)).toEqual([600, 700]);
    expect(cost).toBe(600 * 10 + 700 * 100);
  });

  it('knows the time of the built-in model, which is asked without calls', () => {
    const loads = [{ start: 0, tiers: [{ ...NO_LOAD, documents: 3_000 }, load(3_000, 100)] }];
    const { tiers } = scenario(of({ cascade: [{ model: LOCAL }, { model: LARGE }], loads }), [1, 1], 'stated');
    expect(tiers).toMatchObject([
      { calls: 0, minutes: 2 },
      { documents: 0, minutes: 0 },
    ]);
  });
});

describe('acceptedBefore()', () => {
  const history = (figures: Partial<NonNullable<WorkflowHistory['figures']>>): WorkflowHistory => ({
    ...{ configHash: '', batches: 1, documents: 100, cost: 1, inputTokens: 1, seconds: 1 },
    figures: { answered: 100, byFirstTier: 0, calls: 0, retries: 0, models: {}, ...figures },
  });

  it('is the share of what reached each tier', () => {
    const cascade = [...CASCADE, { model: LARGE }];
    expect(acceptedBefore({ cascade }, history({ byTier: { 0: 60, 1: 30, 2: 10 } }))).toEqual([0.6, 0.75, 1]);
    const routed = history({ byTier: { 0: 30, 1: 35, 2: 35 }, starts: { 0: 60, 1: 40 } });
    expect(acceptedBefore({ cascade }, routed)).toEqual([0.5, 0.5, 1]);
  });

  it('is not known where no batch has said so', () => {
    expect(acceptedBefore({ cascade: CASCADE }, undefined)).toBeUndefined();
    expect(acceptedBefore({ cascade: CASCADE }, history({}))).toBeUndefined();
  });
});

describe('forecastMonth()', () => {
  const plan = { documents: 20, cost: { low: 10, expected: 20, worst: 40 }, unpriced: [] };
  const volume = { documents: 600, batches: 30, from: 'stated' } as const;

  it('multiplies the plan, and does not know what a price is missing for', () => {
    expect(forecastMonth(plan, volume)).toEqual({ ...volume, cost: { low: 300, expected: 600, worst: 1_200 } });
    expect(forecastMonth({ ...plan, unpriced: ['x'] }, volume)?.cost).toBeUndefined();
    expect(forecastMonth({ ...plan, documents: 0 }, volume)).toBeUndefined();
  });
});
