import { describe, expect, it } from 'vitest';
import { reportLines } from '../../src/cli/format-report.ts';
import type { Manifest } from '../../src/finalize/manifest.ts';
import { LatencySum } from '../../src/measures/latency.ts';
import { NO_USAGE } from '../../src/money/usage.ts';
import type { PowerShare } from '../../src/providers/power-book.ts';
import { buildReport, type ReportedBatch, type ReportGroup } from '../../src/reports/report.ts';
import { reportHtml } from '../../src/reports/report-html.ts';
import { reportJson } from '../../src/reports/report-json.ts';

const NOW = Date.parse('2026-11-20T12:00:00Z');
const USD = 1_000_000_000;

/** A night of 100 documents, of which the first tier answered some. */
function night(daysAgo: number, more: Partial<Manifest> & { first?: number; ms?: number } = {}): ReportedBatch {
  const { first = 80, ms = 1_000, ...rest } = more;
  const times = new LatencySum();
  times.add(ms, 10, ms / 2);
  const latency = times.total();
  const at = new Date(NOW - daysAgo * 86_400_000).toISOString();
  const model = (name: string, tier: number, accepted: number, cost: number) => ({
    ...{ model: name, tier, calls: 100, accepted, usage: { ...NO_USAGE, inputTokens: 5_000, outputTokens: 500 }, cost },
    ...(latency === undefined ? {} : { latency }),
  });
  const manifest = {
    batchId: `night-${daysAgo}`,
    workflow: 'triage',
    createdAt: at,
    finishedAt: at,
    documents: { total: 131, succeeded: 98, failed: 2, cancelled: 20, expired: 10, skipped: 1 },
    usage: { ...NO_USAGE, inputTokens: 10_000, outputTokens: 1_000 },
    models: [model('small', 0, first, 1 * USD), model('large', 1, 98 - first, 2 * USD)],
    cost: 3 * USD,
    uncertain: [],
    uncertainCost: 0,
    reused: { duplicates: 3, earlier: 1, cached: 6, saved: USD / 2 },
    strongest: { model: 'large', cost: 10 * USD },
    ...rest,
  } as unknown as Manifest;
  return { manifest, repriced: [] };
}

const report = (batches: readonly ReportedBatch[], by: ReportGroup = 'workflow', power: readonly PowerShare[] = []) =>
  buildReport({ batches, now: NOW, days: 7, by, timezone: 'UTC', advice: [], power, monthSpent: 30 * USD });

describe('buildReport()', () => {
  it('adds up the period alone, and says what cascade, cache and equal documents have saved', () => {
    const { total, lines, days } = report([night(1), night(2), night(9), night(40)]);
    expect(total.sums).toMatchObject({
      batches: 2,
      documents: 200,
      failed: 4,
      cost: 6 * USD,
      savedByCascade: 14 * USD,
    });
    expect(total.sums).toMatchObject({ savedByReuse: USD, duplicates: 8, cachedCalls: 12 });
    expect(total.rates).toMatchObject({ p95Ms: 993, firstByteP95Ms: 503 });
    expect(lines.map(({ name }) => name)).toEqual(['triage']);
    expect(days).toHaveLength(8);
    expect(days.filter(({ cost }) => cost > 0).map(({ day }) => day)).toEqual(['2026-11-18', '2026-11-19']);
  });

  it('compares rates with the days before, and knows nothing where there were none', () => {
    const { total } = report([night(1, { first: 40, ms: 3_000 }), night(9)]);
    expect(total.rates).toMatchObject({ costPerDocument: 0.03 * USD, tokensPerDocument: 110, firstTierShare: 0.4 });
    expect(total.before).toMatchObject({ firstTierShare: 0.8 });
    expect(reportLines(report([night(1, { first: 40 }), night(9)]))).toContain(
      '!          answered by the first tier: 40.0 % (-50 %, was 80.0 %)',
    );
    expect(report([night(1)]).total.before).toBeUndefined();
    expect(JSON.parse(JSON.stringify(reportJson(report([night(1)])))).total.before).toBeNull();
  });

  it('groups by model and by tenant; the money of the groups is that of all', () => {
    const batches = [night(1, { tenant: 'bank' }), night(2)];
    for (const by of ['model', 'tenant'] as const) {
      const { lines, total, days } = report(batches, by);
      const byDay = days.map((_, day) => lines.reduce((sum, { costByDay }) => sum + (costByDay[day] ?? 0), 0));
      expect(byDay).toEqual(days.map(({ cost }) => cost));
      expect(lines.reduce((sum, { sums }) => sum + sums.cost, 0)).toBe(total.sums.cost);
      expect(lines.map(({ name }) => name)).toEqual(by === 'model' ? ['large', 'small'] : [null, 'bank']);
    }
  });

  it('groups by provider, and says what own servers have cost beside the calls, and how long nobody needed them', () => {
    const share = { provider: 'gpu', workflow: 'triage', ms: 1_800_000, cost: USD };
    const power = [{ ...share, batch: 'night-1' }, share];
    const models = night(1).manifest.models.map((model) => ({ ...model, provider: 'gpu' }));
    const found = report([night(1, { models })], 'provider', power);
    expect(found.lines.map(({ name, power: own }) => [name, own])).toEqual([['gpu', { ms: 3_600_000, cost: 2 * USD }]]);
    expect(found.total).toMatchObject({ sums: { cost: 3 * USD }, power: { ms: 3_600_000, cost: 2 * USD } });
    expect(found.forecast?.expected).toBe(30 * USD + 10 * 5 * USD);
    const text = reportLines(found);
    expect(text).toContain('server     gpu: on for 60 min, $2.00; of it without an open batch 30 min, $1.00');
    expect(text).toContain('in all     $5.00 with $2.00 of servers');
    expect(reportHtml(found)).toContain('Server gpu: on for 60 min');
    expect(JSON.parse(JSON.stringify(reportJson(found)))).toMatchObject({
      total: { costUsd: 3, power: { seconds: 3600, costUsd: 2 } },
      servers: [{ provider: 'gpu', seconds: 3600, costUsd: 2, idle: { seconds: 1800, costUsd: 1 } }],
    });
    const of = (by: ReportGroup) => report([night(1, { models, tenant: 'bank' })], by, power).lines[0]?.power?.cost;
    expect([of('workflow'), of('tenant'), of('model')]).toEqual([2 * USD, USD, undefined]);
  });

  it('does not show a server whose hour has no price as free, and shows one without a batch', () => {
    const power = [{ provider: 'gpu', workflow: 'triage', ms: 60_000 }];
    const found = report([], 'workflow', power);
    expect(reportLines(found)).toMatch(/No batch has ended.*\n.*gpu: on for 1 min, cost NOT KNOWN/);
    expect(reportLines(found)).not.toContain('$0.00 with');
    expect(JSON.parse(JSON.stringify(reportJson(found))).total.power).toEqual({ seconds: 60, costUsd: null });
    expect(JSON.parse(JSON.stringify(reportJson(report([])))).total.power).toBeNull();
  });

  it('leaves out retries, whose money is in the batch that they belong to', () => {
    expect(report([night(1), night(1, { retryOf: 'night-1' })]).total.sums.batches).toBe(1);
  });

  it('expects of the month what is spent and the days that are left at the average since the first batch', () => {
    // Two nights of $3 in two days, and ten days left of November.
    expect(report([night(1), night(2)]).forecast).toEqual({ month: '2026-11', spent: 30 * USD, expected: 60 * USD });
    expect(report([]).forecast).toBeUndefined();
  });

  it('is a page without a script or an outside file, whatever names there are', () => {
    const page = reportHtml(report([night(1, { workflow: '<script>alert(1)</script>' })]));
    expect(page).not.toMatch(/<script|src=|href=|https?:\/\/(?!www\.w3\.org)/);
    expect(page).toContain('&lt;script&gt;');
    expect(page.match(/<svg/g)?.length).toBeGreaterThanOrEqual(4);
    const repriced = reportHtml(report([{ ...night(1), repriced: ['small'] }]));
    expect(repriced).toContain('Prices have changed since: small');
  });
});
