import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HttpModel } from '../helpers/http-model.ts';
import { hasPromtool, promtool } from '../helpers/promtool.ts';
import { startServe } from '../helpers/serve.ts';
import { startTestSimulator } from '../helpers/simulator.ts';
import { startTcpRedis } from '../helpers/tcp-redis.ts';
import { configYaml, makeDocuments, oneJsonValue, toJsonl, Workspace } from '../helpers/workspace.ts';

let model: HttpModel;

beforeAll(async () => {
  model = await HttpModel.start();
});
beforeEach(() => model.reset());
afterAll(async () => model[Symbol.asyncDispose]());

interface ModelFigures {
  readonly model: string;
  readonly provider: string | null;
  readonly calls: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly firstByteP50Ms: number;
  readonly firstByteP95Ms: number;
  readonly tokensPerSecond: number;
}

describe('what can be seen of a batch', () => {
  it('has the times of its calls by model and provider, in status and in the manifest', async () => {
    await using workspace = await Workspace.make({
      'nightmill.yaml': configYaml({ url: model.url }),
      'docs.jsonl': toJsonl(makeDocuments(20)),
    });
    await workspace.run(['run', 'docs.jsonl', '-w', 'triage', '--id', 'night', '-o', 'out']);
    const status = await workspace.run(['status', 'night', '--json']);
    const { models } = oneJsonValue<{ models: readonly ModelFigures[] }>(status.stdout);
    expect(models).toMatchObject([{ model: 'small', provider: 'acme', calls: 20 }]);
    const [figures] = models as [ModelFigures];
    expect(figures.p50Ms).toBeGreaterThan(0);
    expect(figures.p95Ms).toBeGreaterThanOrEqual(figures.p50Ms);
    expect(figures.tokensPerSecond).toBeGreaterThan(0);
    const { manifest } = await workspace.readOutput('out');
    const { cost } = manifest as unknown as { cost: { byModel: readonly { latency: ModelFigures }[] } };
    expect(cost.byModel[0]?.latency).toMatchObject({ calls: 20, p50Ms: figures.p50Ms, p95Ms: figures.p95Ms });
    expect((await workspace.run(['status', 'night'])).stdout).toMatch(/speed {6}small at acme: p50 .* over 20 calls/);
  });

  it('has the time to the first byte of the headers beside the time to the last of the body', async () => {
    const latency = { p50Ms: 150, p95Ms: 150, firstByteMs: 10 };
    const price = { inputPerMillion: 0.15, outputPerMillion: 0.6 };
    await using simulator = await startTestSimulator({
      models: { 'small-2026-01-01': { price, latency, contextTokens: 32_768 } },
    });
    await using workspace = await Workspace.make({
      'nightmill.yaml': configYaml({ url: simulator.url }),
      'docs.jsonl': toJsonl(makeDocuments(20)),
    });
    const run = await workspace.run(['run', 'docs.jsonl', '-w', 'triage', '--id', 'night', '-o', 'out']);
    expect(run, run.stderr).toMatchObject({ code: 0 });
    const status = await workspace.run(['status', 'night', '--json']);
    const [figures] = oneJsonValue<{ models: readonly [ModelFigures] }>(status.stdout).models;
    expect(figures.firstByteP50Ms).toBeGreaterThanOrEqual(9);
    expect(figures.firstByteP50Ms).toBeLessThan(figures.p50Ms - 50);
    const { manifest } = await workspace.readOutput('out');
    const { cost } = manifest as unknown as { cost: { byModel: readonly { latency: object }[] } };
    const { firstByteP50Ms: p50Ms, firstByteP95Ms: p95Ms } = figures;
    expect(cost.byModel[0]?.latency).toMatchObject({ firstByte: { calls: 20, p50Ms, p95Ms } });
    expect((await workspace.run(['status', 'night'])).stdout).toMatch(/first byte p50 \d+ ms, p95 \d+ ms, /);
    expect((await workspace.run(['report'])).stdout).toMatch(/p95 to its first byte: \d+ ms/);
    // Of the workflow's history, before the next batch.
    const plan = await workspace.run(['plan', 'docs.jsonl', '-w', 'triage']);
    expect(plan.stdout).toMatch(
      /latency {4}small at acme: p50 .*, first byte p50 \d+ ms, .* over 20 calls of 1 batch, which ended /,
    );
  });

  it('is told to Prometheus by a server, for a key with that right alone, and by a worker on a port of its own', async () => {
    await using redis = await startTcpRedis();
    await using workspace = await Workspace.make({
      'nightmill.yaml': configYaml({ url: model.url, redis: redis.url }),
      'docs.jsonl': toJsonl(makeDocuments(20)),
    });
    const { secret: key } = await workspace.json<{ secret: string }>([
      'key',
      'create',
      '--name',
      'p',
      '--rights',
      'metrics',
    ]);
    const reader = await workspace.json<{ secret: string }>(['key', 'create', '--name', 'r', '--rights', 'read']);
    const worker = workspace.start(['worker', '--metrics', '0']);
    await worker.prints(/metrics on http\S+/);
    const { url } = await startServe(workspace, '--no-worker', '--host', '0.0.0.0');
    await workspace.run(['submit', 'docs.jsonl', '-w', 'triage', '--id', 'night', '--tenant', 'bank', '--wait']);

    const own = await (await fetch(/metrics on ([^\s"]+)/.exec(worker.stderr)?.[1] ?? '')).text();
    expect(own).toContain('nightmill_calls_total{workflow="triage",model="small",tier="0",outcome="reply"} 20\n');
    expect(own).toContain('nightmill_documents_total{workflow="triage",outcome="succeeded"} 20\n');
    expect(own).toContain('nightmill_tenant_documents_total{tenant="bank"} 20\n');
    expect(own).toMatch(/^nightmill_quota_requests_total\{pool="acme"\} 20$/m);

    const ask = async (path: string, secret: string) =>
      await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${secret}` } });
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
    expect((await ask('/metrics', reader.secret)).status).toBe(403);
    expect((await ask('/api/v1/batches', key)).status).toBe(403);
    expect(await (await ask('/api/v1/workers-wanted', key)).json()).toEqual({ workers: 0 });
    const cluster = await (await ask('/metrics', key)).text();
    expect(cluster).toMatch(/^nightmill_workers 1$/m);
    expect(cluster).toMatch(/^nightmill_paused\{workflow="triage",cause="budget"\} 0$/m);
    expect(cluster).toMatch(/^nightmill_budget_spent_dollars\{scope="workflow:triage\/day"\} 0\.0/m);
    if (hasPromtool) expect([cluster, own].map((text) => promtool(['check', 'metrics'], text))).toEqual(['', '']);
  });
});
