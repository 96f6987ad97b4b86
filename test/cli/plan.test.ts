import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { throughputOf } from '../../src/operations/figures/throughput.ts';
import { planServer } from '../../src/plans/server-cost.ts';

let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'config-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

/** How fast the workflow `w` with this cascade can be asked. */
function throughput(provider: string, models: string, cascade: string) {
  writeFileSync(
    join(cwd, 'nightmill.yaml'),
    `providers: { acme: { kind: openai, baseUrl: "http://x/v1", limits: { ${provider} } } }\nmodels: { ${models} }\n` +
      `workflows: { w: { task: summarize, cascade: [${cascade}] } }\n`,
  );
  const config = loadConfig({ env: {}, cwd });
  const workflow = config.workflows.get('w');
  if (workflow === undefined) throw new Error('There is no workflow w');
  return throughputOf(config, workflow.spec);
}

const model = (name: string, more = '') => `${name}: { provider: acme, id: ${name}-2026-01-01${more} }`;

describe('the minutes of a plan', () => {
  it('come from the limits of the first paid model’s pool: its provider’s', () => {
    const limits = 'requestsPerMinute: 60, outputTokensPerMinute: 7, tokensPerDay: 9, concurrency: 10';
    expect(throughput(limits, model('a'), '{ model: local }, { model: a }')).toEqual([
      { limits: { requestsPerMinute: 60, outputTokensPerMinute: 7, tokensPerDay: 9 }, callsPerMinute: 300 },
    ]);
  });

  it('come from the model’s own pool, or one that it shares', () => {
    const own = model('a', ', limits: { requestsPerDay: 5 }');
    expect(throughput('requestsPerMinute: 60', own, '{ model: a }')[0]?.limits).toEqual({ requestsPerDay: 5 });
    const shared = `${model('a', ', pool: mini')}, ${model('b', ', pool: mini, limits: { inputTokensPerMinute: 8 }')}`;
    expect(throughput('requestsPerMinute: 60', shared, '{ model: a }')[0]?.limits).toEqual({ inputTokensPerMinute: 8 });
  });

  it('come from every host of the first paid model', () => {
    const two = `${model('a', ', limits: { requestsPerMinute: 60 }')}, ${model('b', ', limits: { requestsPerMinute: 120 }')}`;
    const hosts = throughput('concurrency: 4', two, '{ model: [a, b] }');
    expect(hosts.map(({ limits }) => limits.requestsPerMinute)).toEqual([60, 120]);
  });

  it('keep to the smaller of the calls in flight in a process and in the cluster', () => {
    expect(throughput('concurrency: 10, clusterConcurrency: 4', model('a'), '{ model: a }')[0]?.callsPerMinute).toBe(
      120,
    );
    expect(throughput('concurrency: 3, clusterConcurrency: 4', model('a'), '{ model: a }')[0]?.callsPerMinute).toBe(90);
  });

  it('have no such bound where the local model answers everything', () => {
    expect(throughput('requestsPerMinute: 1', model('a'), '{ model: local }')).toEqual([]);
  });
});

describe('the server of a plan', () => {
  const minutes = { low: 5, expected: 10.5, worst: 20 };

  it('costs from its start to its stop, every minute that was begun', () => {
    const plan = planServer('gpu', { perHour: 1_200_000_000, afterIdleMs: 600_000 }, minutes);
    expect(plan).toEqual({
      provider: 'gpu',
      idleMinutes: 10,
      perHour: 1_200_000_000,
      cost: { low: 300_000_000, expected: 420_000_000, worst: 600_000_000 },
    });
  });

  it('costs at least a minute, and what is not known is not nothing', () => {
    const none = { low: 0, expected: 0, worst: 0 };
    expect(planServer('gpu', { perHour: 60, afterIdleMs: 0 }, none).cost).toEqual({ low: 1, expected: 1, worst: 1 });
    expect(planServer('gpu', { afterIdleMs: 600_000 }, minutes).cost).toBeUndefined();
  });
});
