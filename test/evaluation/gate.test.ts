import { describe, expect, it } from 'vitest';
import { type AnswerIdentity, decideGate, type EvaluatedRun, type GateRules } from '../../src/evaluation/gate.ts';

const RULES: GateRules = { golden: 'golden.jsonl', goldenSha256: 'g1', maxDrop: 0.02, maxAgeDays: 90 };
const IDENTITY: AnswerIdentity = { prompt: 'p1', models: 'm1', prices: 'x1', thresholds: 't1' };
const NOW = Date.parse('2026-05-01T00:00:00Z');

const runOf = (run: string, answeredAt: string, of: Partial<EvaluatedRun> = {}): EvaluatedRun => ({
  run,
  answeredAt: `${answeredAt}T12:00:00Z`,
  goldenSha256: 'g1',
  identity: IDENTITY,
  metrics: { accuracy: 0.9, validity: 1 },
  ...of,
});
const decide = (runs: readonly EvaluatedRun[], rules: Partial<GateRules> = {}, identity = IDENTITY) =>
  decideGate({ ...RULES, ...rules }, identity, runs, NOW);

describe('decideGate()', () => {
  it('opens for an evaluation of what the workflow is now', () => {
    const run = runOf('e1', '2026-04-21');
    expect(decide([run])).toEqual({ isOpen: true, run, ageDays: 9.5 });
  });

  it.each<[string, readonly EvaluatedRun[], AnswerIdentity, RegExp]>([
    ['nothing was evaluated', [], IDENTITY, /^it was never evaluated with golden\.jsonl$/],
    [
      'the golden set is another',
      [runOf('e1', '2026-04-21', { goldenSha256: 'g0' })],
      IDENTITY,
      /^golden\.jsonl has changed since evaluation e1 of 2026-04-21$/,
    ],
    ['the prompt is', [runOf('e1', '2026-04-21')], { ...IDENTITY, prompt: 'p2' }, /^its prompt has changed since/],
    ['the models are', [runOf('e1', '2026-04-21')], { ...IDENTITY, models: 'm2' }, /^its models have changed since/],
    [
      'a price and a threshold are',
      [runOf('e1', '2026-04-21')],
      { ...IDENTITY, prices: 'x2', thresholds: 't2' },
      /^its prices and thresholds have changed since/,
    ],
  ])('is closed until an evaluation where %s', (_, runs, identity, why) => {
    expect(decide(runs, {}, identity)).toMatchObject({
      isOpen: false,
      cure: 'evaluate',
      why: expect.stringMatching(why),
    });
  });

  it('opens again for a config that is put back, whatever was evaluated since', () => {
    const runs = [runOf('e2', '2026-04-28', { identity: { ...IDENTITY, prompt: 'p2' } }), runOf('e1', '2026-04-21')];
    expect(decide(runs)).toMatchObject({ isOpen: true, run: { run: 'e1' } });
  });

  it('is closed by age, unless no age is set', () => {
    const runs = [runOf('e1', '2026-01-01')];
    expect(decide(runs)).toMatchObject({ cure: 'anew', why: expect.stringContaining('is 119 days old') });
    expect(decideGate({ golden: 'g', goldenSha256: 'g1', maxDrop: 0 }, IDENTITY, runs, NOW).isOpen).toBe(true);
  });

  it('is closed where a metric is too far under the best evaluation of the same set, not of another', () => {
    const before = { ...IDENTITY, prompt: 'p0' };
    const best = (accuracy: number, of: Partial<EvaluatedRun> = {}) =>
      runOf('best', '2026-03-01', { identity: before, metrics: { accuracy }, ...of });
    const latest = runOf('e1', '2026-04-21');
    expect(decide([best(0.92), latest]).isOpen).toBe(true);
    expect(decide([best(0.93), latest])).toMatchObject({
      cure: 'better',
      better: 'best',
      why: 'its accuracy is 0.9000 in evaluation e1 of 2026-04-21 and was 0.9300 in best of 2026-03-01, more than gate.maxDrop 0.02 above',
    });
    expect(decide([best(0.99, { goldenSha256: 'g0' }), latest]).isOpen).toBe(true);
    expect(decide([best(0.9, { metrics: { accuracy: 0.9, coverage: 1 } }), latest])).toMatchObject({
      why: expect.stringContaining('its coverage is missing'),
    });
  });
});
