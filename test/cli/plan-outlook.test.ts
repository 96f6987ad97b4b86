import { describe, expect, it } from 'vitest';
import { monthLines, readOutlook, scenarioLines } from '../../src/cli/commands/evidence/plan-outlook.ts';
import { planOutlook } from '../../src/operations/figures/plan-outlook.ts';
import type { BatchPlan } from '../../src/plans/plan-batch.ts';
import { SMALL, TRIAGE } from '../helpers/memory/memory-app.ts';

const SPEC = { ...TRIAGE, cascade: [{ model: SMALL, acceptAt: 0.5 }, { model: { ...SMALL, name: 'large' } }] };
const TIER = { documents: 20, calls: 20, inputTokens: 2_000, outputTokens: 200, cost: 20_000_000 };
const PLAN = {
  documents: 20,
  unpriced: [] as readonly string[],
  cost: { low: 1_000_000, expected: 20_000_000, worst: 40_000_000 },
  askingCost: 0,
  loads: [{ start: 0, tiers: [TIER, { ...TIER, cost: 200_000_000 }] }],
} as unknown as BatchPlan;
const CONFIG = { providers: new Map(), pools: new Map([['acme', { requestsPerMinute: 10 }]]) };
const NOW = Date.parse('2026-03-01T00:00:00Z');

const outlook = (flags: Parameters<typeof readOutlook>[0], more: object = {}) =>
  planOutlook(CONFIG, { spec: SPEC, budget: {}, ...more }, PLAN, undefined, { ...readOutlook(flags), now: NOW });

describe('plan --scenarios, --per-month and --nights', () => {
  it('says what each share of accepted documents costs and takes, and what a month of it costs', () => {
    const found = outlook({ scenarios: '60, 95 %', nights: '30' });
    expect(scenarioLines(found, 20)).toEqual([
      expect.stringContaining('what if each tier but the last'),
      '           accepted  documents at each tier  dollars  time   slowest  a month',
      '           60 %      20 small, 8 large       $0.10    3 min  small    $3.00',
      '           95 %      20 small, 1 large       $0.030   2 min  small    $0.90',
    ]);
    expect(monthLines(found)).toEqual([
      'month      30 nights, 600 documents like these',
      '           low $0.030   expected $0.60   worst case $1.20',
    ]);
  });

  it('takes a month from the schedule, holds it to the limit, and foretells none where nobody says how much', () => {
    const schedule = { cron: '0 2 * * *', timezone: 'UTC' };
    const daily = outlook({}, { schedule, budget: { month: 1_000_000_000 } });
    expect(daily.month).toMatchObject({ batches: 30, documents: 600, from: 'schedule' });
    expect(monthLines(daily).join('\n')).toMatch(
      /30 batches by its schedule.*covers what is expected, not the worst case/s,
    );
    expect(monthLines(outlook({ perMonth: '40000/night' })).join('\n')).toContain('1,200,000 documents');
    expect(monthLines(outlook({}))).toEqual([]);
  });

  it('reads flags, and says which of them cannot be used', () => {
    expect(readOutlook({ perMonth: '1000000' }).month).toEqual({ documents: 1_000_000 });
    for (const flags of [{ scenarios: '60,x' }, { scenarios: '120' }, { perMonth: 'many' }, { nights: '0' }]) {
      expect(() => readOutlook(flags)).toThrow(/Cannot use --/);
    }
    expect(() => readOutlook({ perMonth: '9', nights: '9' })).toThrow(/together/);
  });
});
