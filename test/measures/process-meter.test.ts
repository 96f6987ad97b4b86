import { describe, expect, it } from 'vitest';
import { formatMetrics, type Sample } from '../../src/measures/exposition.ts';
import type { EndedCall } from '../../src/measures/meter.ts';
import { METRICS, type MetricName } from '../../src/measures/metric-names.ts';
import { ProcessMeter } from '../../src/measures/process-meter.ts';
import { TopNames } from '../../src/measures/top-names.ts';
import { NO_USAGE } from '../../src/money/usage.ts';
import { budgetSamples } from '../../src/operations/figures/cluster-samples.ts';
import { hasPromtool, promtool } from '../helpers/promtool.ts';

const CALL: EndedCall = {
  batch: 'b',
  slice: 0,
  document: 0,
  workflow: 'triage',
  tenant: 'acme',
  model: 'small',
  modelId: 'small-1',
  provider: 'cloud',
  tier: 0,
  outcome: 'reply',
  durationMs: 300,
  firstByteMs: 150,
  usage: { ...NO_USAGE, inputTokens: 100, cachedInputTokens: 40, outputTokens: 7 },
  cost: 2_000_000,
  maxOutputTokens: 64,
};

describe('ProcessMeter', () => {
  it('counts calls, tokens and dollars by workflow, model and tier, and each call once', () => {
    const meter = new ProcessMeter();
    meter.callEnded(CALL);
    meter.callEnded({ ...CALL, durationMs: 9_000, firstByteMs: undefined });
    meter.callEnded({ ...CALL, outcome: 'uncertain', usage: NO_USAGE, cost: 5_000_000 });
    meter.callEnded({ ...CALL, outcome: 'refused', usage: NO_USAGE, cost: 0 });
    meter.callAdmitted('cloud', 250, 164);
    meter.sliceEnded({
      ...CALL,
      outcome: 'committed',
      documents: { succeeded: 3, failed: 1, skipped: 0 },
      durationMs: 1,
    });
    meter.logged('breaker:open');
    const text = formatMetrics(meter.samples());
    const lines = text.split('\n');
    for (const line of [
      'nightmill_calls_total{workflow="triage",model="small",tier="0",outcome="reply"} 2',
      'nightmill_calls_total{workflow="triage",model="small",tier="0",outcome="uncertain"} 1',
      'nightmill_tokens_total{workflow="triage",model="small",tier="0",kind="input"} 120',
      'nightmill_tokens_total{workflow="triage",model="small",tier="0",kind="cached_input"} 80',
      'nightmill_tokens_total{workflow="triage",model="small",tier="0",kind="output"} 14',
      'nightmill_spent_dollars_total{workflow="triage",model="small",tier="0"} 0.004',
      'nightmill_uncertain_dollars_total{workflow="triage",model="small",tier="0"} 0.005',
      'nightmill_tenant_spent_dollars_total{tenant="acme"} 0.009',
      'nightmill_call_duration_seconds_bucket{model="small",provider="cloud",le="0.4"} 1',
      'nightmill_call_duration_seconds_bucket{model="small",provider="cloud",le="+Inf"} 2',
      'nightmill_call_duration_seconds_count{model="small",provider="cloud"} 2',
      'nightmill_call_first_byte_seconds_bucket{model="small",provider="cloud",le="0.1"} 0',
      'nightmill_call_first_byte_seconds_bucket{model="small",provider="cloud",le="0.2"} 1',
      'nightmill_call_first_byte_seconds_count{model="small",provider="cloud"} 1',
      'nightmill_quota_wait_seconds_total{pool="cloud"} 0.25',
      'nightmill_quota_tokens_total{pool="cloud"} 164',
      'nightmill_documents_total{workflow="triage",outcome="succeeded"} 3',
      'nightmill_tenant_documents_total{tenant="acme"} 4',
      'nightmill_slices_total{workflow="triage",outcome="committed"} 1',
      'nightmill_events_total{event="breaker:open"} 1',
    ]) {
      expect(lines).toContain(line);
    }
  });

  it('stays under 1 MB with 200 workflows of three models and 1,000 tenants, and so does the cluster beside it', () => {
    const meter = new ProcessMeter();
    for (let at = 0; at < 30_000; at++) {
      const workflow = `nightly-workflow-number-${at % 200}`;
      const tenant = `tenant-of-a-customer-${at % 1_000}`;
      const call = { ...CALL, workflow, tenant, model: `model-${at % 3}`, tier: at % 3 };
      meter.callEnded(call);
      meter.callEnded({ ...call, outcome: 'refused' });
      meter.sliceEnded({ ...call, outcome: 'committed', documents: { succeeded: 1, failed: 1 } });
    }
    const money = { settled: 123_456_789, uncertain: 1, held: 1_000_000_001, limit: 5_000_000_000 };
    const scopes = [
      ...Array.from(
        { length: 400 },
        (_, at) => `workflow:nightly-workflow-number-${at >> 1}/${at % 2 ? 'day' : 'month'}`,
      ),
      ...Array.from({ length: 1_000 }, (_, at) => `tenant:tenant-of-a-customer-${at}/day`),
    ];
    const budgets = budgetSamples(scopes.map((name) => ({ scope: { name, period: '2026-01-01' }, ...money })));
    const text = formatMetrics([...meter.samples(), ...budgets]);
    expect(text.match(/^nightmill_spent_dollars_total/gm)?.length).toBe(600);
    expect(text.match(/^nightmill_tenant_spent_dollars_total/gm)?.length).toBe(21);
    expect(text.match(/^nightmill_budget_spent_dollars\{scope="tenant:/gm)?.length).toBe(21);
    // Nothing is lost by counting many tenants as one.
    const tenants = [...text.matchAll(/^nightmill_tenant_documents_total\S+ (\d+)/gm)];
    expect(tenants.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(60_000);
    expect(Buffer.byteLength(text)).toBeLessThan(1_000_000);
  });

  it.skipIf(!hasPromtool)('has names, types and help texts that promtool accepts, of every metric there is', () => {
    const samples = (Object.keys(METRICS) as MetricName[]).map((name) => ({
      name,
      labels: METRICS[name].labels.map(() => 'a "b" \\ \n c'),
      ...(METRICS[name].type === 'histogram' ? { counts: [1, 2], sum: 3 } : { value: 1.5 }),
    }));
    expect(promtool(['check', 'metrics'], formatMetrics(samples as unknown as Sample[]))).toBe('');
    expect(promtool(['check', 'metrics'], '# TYPE a counter\na 1\n')).not.toBe('');
  });
});

describe('TopNames', () => {
  it('gives a series to the heaviest names, and takes it from one that another one has clearly outgrown', () => {
    const names = new TopNames(2, 100);
    expect(['a', 'b', 'c'].map((name) => names.labelOf(name, 10))).toEqual(['a', 'b', 'other']);
    names.labelOf('c', 5);
    expect(names.choose()).toEqual([]);
    names.labelOf('a', 50);
    names.labelOf('c', 50);
    expect(names.choose()).toEqual(['b']);
    expect(names.labelOf('c', 1)).toBe('c');
    expect(names.labelOf('b', 1)).toBe('other');
  });
});
