import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { usdToNano } from '../../src/money/money.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import type { RunningSimulator } from '../../src/simulator/start-simulator.ts';
import { agePauses } from '../helpers/age-pauses.ts';
import { setFaults, setState, startTestSimulator } from '../helpers/simulator.ts';
import { startTcpRedis, type TcpRedis } from '../helpers/tcp-redis.ts';
import {
  type ConfigOptions,
  configYaml,
  expectBalanced,
  makeDocuments,
  type Output,
  toJsonl,
  Workspace,
} from '../helpers/workspace.ts';

let redis: TcpRedis;

beforeAll(async () => {
  redis = await startTcpRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

const MODELS: NonNullable<SimulatorOptions['models']> = {
  'small-2026-01-01': {
    price: { inputPerMillion: 0.15, outputPerMillion: 0.6 },
    latency: { p50Ms: 50, p95Ms: 100 },
    contextTokens: 32_768,
  },
};
const documents = makeDocuments(200);
const ids = documents.map(({ id }) => id);

async function makeWorkspace(simulator: RunningSimulator, options: Partial<ConfigOptions> = {}): Promise<Workspace> {
  return await Workspace.make({
    'nightmill.yaml': configYaml({ url: simulator.url, redis: redis.url, slice: 20, ...options }),
    'docs.jsonl': toJsonl(documents),
  });
}

/** What the provider billed is what the manifest has, apart from calls that are booked as uncertain. */
function expectBillExplained(simulator: RunningSimulator, { manifest }: Output): void {
  const billNano = simulator.bill().reduce((sum, line) => sum + line.costNanoUsd, 0);
  expect(billNano).toBeGreaterThanOrEqual(usdToNano(manifest.costUsd));
  expect(billNano).toBeLessThanOrEqual(usdToNano(manifest.costUsd) + usdToNano(manifest.uncertainUsd));
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(50);
}

describe('a provider in trouble', () => {
  it('that dies for most of a minute pauses its workflow, which resumes by itself, and every document is answered', async () => {
    await using simulator = await startTestSimulator({ models: MODELS });
    await using workspace = await makeWorkspace(simulator, {
      worker: 'shutdownGraceSeconds: 5, providerPatienceSeconds: 2',
    });
    const { id } = await workspace.json<{ id: string }>(['submit', 'docs.jsonl', '-w', 'triage']);
    await workspace.startWorker();
    await until(() => simulator.bill().length >= 20);
    await setState(simulator, { down: true });
    const paused = await workspace.statusWhen(id, (status) => status.state === 'paused');
    expect(paused.breaker).toMatchObject({ state: 'open', cause: 'provider' });
    expect(paused.breaker.reason).toMatch(/acme/);
    expect(paused.heldUsd).toBe(0);
    const billed = simulator.bill().length;
    // It is tried again half a minute after it began, and not before.
    await agePauses(redis.url, 'triage', 20_000);
    await delay(2_500);
    expect(simulator.bill().length).toBe(billed);
    expect(await workspace.status(id)).toMatchObject({ state: 'paused' });
    await setState(simulator, {});
    await agePauses(redis.url, 'triage', 10_000);
    await workspace.statusWhen(id, (status) => status.state === 'completed');
    expect(await workspace.run(['results', id, '-o', 'out'])).toMatchObject({ code: 0 });
    const output = await workspace.readOutput('out');
    expectBalanced(output, ids);
    expect(output.manifest.documents['succeeded']).toBe(ids.length);
    expect(output.manifest.breaker.map(({ event }) => event)).toEqual(expect.arrayContaining(['opened', 'closed']));
    expectBillExplained(simulator, output);
  }, 240_000);

  it('that answers a third of the calls with garbage costs what it bills, and its documents fail or are answered', async () => {
    await using simulator = await startTestSimulator({ models: MODELS, faults: { garbage: 0.35 } });
    await using workspace = await makeWorkspace(simulator, { worker: 'maxCallAttempts: 2' });
    const run = await workspace.run(['run', 'docs.jsonl', '-w', 'triage', '-o', 'out']);
    expect(run.code, run.stderr).toBe(4);
    const output = await workspace.readOutput('out');
    expectBalanced(output, ids);
    expect(output.errors.length).toBeGreaterThan(0);
    for (const { error, calls } of output.errors) expect({ ...error, calls }).toMatchObject({ code: 'invalid_reply' });
    for (const { calls } of [...output.results, ...output.errors]) expect(calls).toBeLessThanOrEqual(2);
    expectBillExplained(simulator, output);
  }, 120_000);

  it('that answers nothing but garbage stops the run after few calls, with nothing held', async () => {
    await using simulator = await startTestSimulator({ models: MODELS, faults: { garbage: 1 } });
    await using workspace = await makeWorkspace(simulator, {
      worker: 'providerPatienceSeconds: 3',
    });
    const run = await workspace.run(['run', 'docs.jsonl', '-w', 'triage', '-o', 'out', '--id', 'garbage']);
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/acme/);
    const spent = simulator.bill().length;
    // Bounded by the outage breaker, not by 200 documents of five tries.
    expect(spent).toBeLessThan(100);
    expect(await workspace.status('garbage')).toMatchObject({ state: 'paused', heldUsd: 0 });
    await setFaults(simulator, {});
    const again = await workspace.run(['run', 'docs.jsonl', '-w', 'triage', '-o', 'out', '--id', 'garbage']);
    expect([0, 4], again.stderr).toContain(again.code);
    const output = await workspace.readOutput('out');
    expectBalanced(output, ids);
    expectBillExplained(simulator, output);
  }, 180_000);

  it('that always breaks its replies off ends every document as truncated after a raised cap, each paid call counted', async () => {
    await using simulator = await startTestSimulator({ models: MODELS, faults: { truncated: 1 } });
    await using workspace = await makeWorkspace(simulator);
    const run = await workspace.run(['run', 'docs.jsonl', '-w', 'triage', '-o', 'out']);
    expect(run.code, run.stderr).toBe(4);
    const output = await workspace.readOutput('out');
    expectBalanced(output, ids);
    expect(output.errors).toHaveLength(ids.length);
    for (const { error, calls } of output.errors)
      expect({ ...error, calls }).toMatchObject({ code: 'truncated', calls: 2 });
    expect(simulator.bill()).toHaveLength(ids.length * 2);
    expectBillExplained(simulator, output);
  }, 120_000);

  it('that is out of credit stops the run after few calls; paid up, the run continues with what was paid before', async () => {
    await using simulator = await startTestSimulator({ models: MODELS });
    await using workspace = await makeWorkspace(simulator);
    const first = workspace.run(['run', 'docs.jsonl', '-w', 'triage', '-o', 'out']);
    await until(() => simulator.bill().length >= 50);
    await setState(simulator, { outOfCredit: true });
    const stopped = await first;
    expect(stopped.code).toBe(1);
    expect(stopped.stderr).toMatch(/credit/);
    const paid = simulator.bill().length;
    await setState(simulator, {});
    await workspace.run(['resume', 'triage']);
    const again = await workspace.run(['run', 'docs.jsonl', '-w', 'triage', '-o', 'out']);
    expect(again.code, again.stderr).toBe(0);
    expect(simulator.bill()).toHaveLength(ids.length);
    expect(paid).toBeLessThan(ids.length);
    const output = await workspace.readOutput('out');
    expectBalanced(output, ids);
    expectBillExplained(simulator, output);
  }, 180_000);
});
