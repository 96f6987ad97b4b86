import { describe, expect, it } from 'vitest';
import { usdToNano } from '../../src/money/money.ts';
import { freePort } from '../helpers/free-port.ts';
import { setFaults, startTestSimulator } from '../helpers/simulator.ts';
import { configYaml, makeDocuments, oneJsonValue, toJsonl, Workspace } from '../helpers/workspace.ts';
import { modelAndRedis } from './model-and-redis.ts';

const { model, redis } = await modelAndRedis();

interface PlanJson {
  readonly documents: number;
  readonly problems: number;
  readonly inputTokens: number;
  readonly calls: { readonly low: number; readonly worst: number };
  readonly costUsd: { readonly low: number; readonly expected: number; readonly worst: number };
  readonly minutes: { readonly low: number; readonly expected: number; readonly worst: number };
  readonly documentsCovered: number | null;
}

describe('nightmill plan', () => {
  it('makes no call, stores nothing, and a run with faults and escalations costs at most its worst case', async () => {
    await using simulator = await startTestSimulator({
      models: {
        'small-2026-01-01': { price: { inputPerMillion: 0.15, outputPerMillion: 0.6 }, contextTokens: 32_768 },
        'large-2026-01-01': { price: { inputPerMillion: 2.5, outputPerMillion: 10 }, contextTokens: 128_000 },
      },
    });
    const cascade = '[{ model: small, acceptAt: 0.8 }, { model: large }]';
    await using workspace = await Workspace.make({
      'nightmill.yaml': configYaml({ url: simulator.url, redis: redis.url, cascade }),
      'docs.jsonl': `${toJsonl(makeDocuments(60))}not json\n`,
    });
    const plan = await workspace.json<PlanJson>(['plan', 'docs.jsonl', '-w', 'triage', '--budget', '0.001']);
    expect(simulator.totals().requests).toBe(0);
    expect(await workspace.json(['status'])).toEqual([]);
    expect(plan).toMatchObject({ documents: 60, problems: 1, calls: { low: 60 } });
    const { low, expected, worst } = plan.costUsd;
    expect(low).toBeGreaterThan(0);
    expect(low).toBeLessThanOrEqual(expected);
    expect(expected).toBeLessThanOrEqual(worst);
    expect(plan.minutes.low).toBeLessThanOrEqual(plan.minutes.expected);
    expect(plan.minutes.expected).toBeLessThanOrEqual(plan.minutes.worst);
    expect(plan.documentsCovered).toBeGreaterThan(0);
    expect(plan.documentsCovered).toBeLessThan(60);

    await setFaults(simulator, { badJson: 0.2, wrongLabel: 0.1 });
    const run = await workspace.run(['run', 'docs.jsonl', '-w', 'triage', '-o', 'out', '--skip-invalid']);
    expect(run, run.stderr).toMatchObject({ code: 4 });
    const { manifest } = await workspace.readOutput('out');
    expect(manifest.costUsd).toBeGreaterThan(0);
    expect(usdToNano(manifest.costUsd)).toBeLessThanOrEqual(usdToNano(worst));
    expect(simulator.totals().requests).toBeLessThanOrEqual(plan.calls.worst);
  });

  it('waits for the next day where the day’s quota of the model’s pool is too small', async () => {
    const config = configYaml({ url: model.url, redis: redis.url });
    const planUnder = async (limits: string) => {
      await using workspace = await Workspace.make({
        'nightmill.yaml': config.replace('small: {', `small: { limits: { ${limits} },`),
        'docs.jsonl': toJsonl(makeDocuments(50)),
      });
      return await workspace.json<PlanJson>(['plan', 'docs.jsonl', '-w', 'triage']);
    };
    expect((await planUnder('requestsPerDay: 50')).minutes.low).toBeLessThan(1440);
    expect((await planUnder('requestsPerDay: 25')).minutes.low).toBe(1440);
    expect((await planUnder('outputTokensPerMinute: 10')).minutes.low).toBeGreaterThanOrEqual(50);
  });

  it('names the free local tier’s cost as nothing', async () => {
    await using workspace = await Workspace.make({
      'nightmill.yaml': configYaml({ url: model.url, redis: redis.url, cascade: '[{ model: local }]' }),
      'docs.jsonl': toJsonl(makeDocuments(5)),
    });
    const plan = await workspace.json<PlanJson>(['plan', 'docs.jsonl', '-w', 'triage']);
    expect(plan.costUsd).toEqual({ low: 0, expected: 0, worst: 0 });
    expect(model.calls).toHaveLength(0);
  });
});

describe('nightmill doctor', () => {
  interface Doctor {
    readonly ok: boolean;
    readonly checks: readonly { readonly name: string; readonly state: string; readonly detail: string }[];
  }

  async function doctor(config: string): Promise<Doctor & { readonly code: number | null }> {
    await using workspace = await Workspace.make({ 'nightmill.yaml': config });
    const { code, stdout } = await workspace.run(['doctor', '--json']);
    return { code, ...oneJsonValue<Doctor>(stdout) };
  }

  it('ends with 0 where every dependency answers, without a paid call', async () => {
    const { code, ok, checks } = await doctor(configYaml({ url: model.url, redis: redis.url }));
    expect({ code, ok }, JSON.stringify(checks)).toEqual({ code: 0, ok: true });
    const names = ['node', 'config', 'store', 'redis', 'provider acme'];
    expect(checks.map((check) => check.name)).toEqual(expect.arrayContaining(names));
    expect(checks.filter((check) => check.state === 'failed')).toEqual([]);
    expect(model.calls).toHaveLength(0);
    expect(model.otherRequests.length).toBeGreaterThan(0);
  });

  it('names every dependency that fails with its cure, all in one go', async () => {
    const port = await freePort();
    const { code, ok, checks } = await doctor(
      configYaml({
        url: `http://127.0.0.1:${port}/v1`,
        redis: 'redis://127.0.0.1:1',
        more: `store: s3://mill/x\ns3: { endpoint: "http://127.0.0.1:${port}", accessKeyId: a, secretAccessKey: b }`,
      }),
    );
    expect({ code, ok }).toEqual({ code: 1, ok: false });
    const detail = (name: string) => checks.find((check) => check.name === name && check.state === 'failed')?.detail;
    expect(detail('store')).toMatch(/s3:\/\/mill.*127\.0\.0\.1/s);
    expect(detail('redis')).toMatch(/Cannot reach Redis .*Start it/);
    expect(detail('provider acme')).toMatch(/cannot reach http:\/\/127\.0\.0\.1:\d+\/v1.*Check baseUrl/);
  });

  it('tells a wrong key and a model that the provider does not list', async () => {
    await using simulator = await startTestSimulator({ apiKey: 'right' });
    const config = configYaml({ url: simulator.url, redis: redis.url });
    const wrongKey = await doctor(config);
    expect(wrongKey).toMatchObject({ code: 1, ok: false });
    expect(wrongKey.checks).toContainEqual({
      name: 'provider acme',
      state: 'failed',
      detail: expect.stringMatching(/refused the key \(HTTP 401\): set the variable that apiKey names/),
    });
    const right = config.replace(/\$\{ACME_API_KEY.*?\}/, 'right').replace('small-2026-01-01', 'smaller-2026-01-01');
    const missingModel = await doctor(right);
    expect(missingModel).toMatchObject({ code: 0, ok: true });
    expect(missingModel.checks).toContainEqual({
      name: 'provider acme',
      state: 'warning',
      detail: expect.stringMatching(/does not list smaller-2026-01-01/),
    });
  });
});
