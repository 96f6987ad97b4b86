import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { usdToNano } from '../../src/money/money.ts';
import { HttpModel } from '../helpers/http-model.ts';
import { startTestSimulator } from '../helpers/simulator.ts';
import { configYaml, toJsonl, Workspace } from '../helpers/workspace.ts';

const SIMULATE = fileURLToPath(new URL('../../workers/simulate.ts', import.meta.url));

let model: HttpModel;

beforeAll(async () => {
  model = await HttpModel.start();
});
beforeEach(() => model.reset());
afterAll(() => model[Symbol.asyncDispose]());

interface Report {
  readonly ok: boolean;
  readonly provider: string;
  readonly model: string;
  readonly checks: readonly { readonly name: string; readonly state: string; readonly detail: string }[];
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly usage: Readonly<Record<string, number>>;
  readonly costUsd: number | null;
  readonly rateLimitHeaders: Readonly<Record<string, string>>;
  readonly latencyMs: number;
}

/** The simulator as a process of its own. */
async function startSimulatorProcess(options: string): Promise<AsyncDisposable & { readonly url: string }> {
  const child = spawn(process.execPath, [SIMULATE, '--options', options], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const line = await Promise.race([once(child.stdout, 'data'), ended.then(() => undefined)]);
  if (line === undefined) throw new Error('The simulator ended before it listened');
  const { url } = JSON.parse(String(line[0])) as { url: string };
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await ended;
    },
  };
}

async function doctor(config: string, ...args: string[]) {
  await using workspace = await Workspace.make({ 'nightmill.yaml': config });
  return await workspace.run(['doctor', ...args]);
}

describe('nightmill doctor --provider', () => {
  it('makes one call, which the provider’s own bill has at the very cost that is printed', async () => {
    const small = {
      price: { inputPerMillion: 0.15, outputPerMillion: 0.6 },
      contextTokens: 32_768,
      limits: { requestsPerMinute: 600, tokensPerMinute: 200_000 },
    };
    await using workspace = await Workspace.make({
      'simulator.json': JSON.stringify({ models: { 'small-2026-01-01': small } }),
    });
    await using simulator = await startSimulatorProcess(workspace.path('simulator.json'));
    const { url } = simulator;
    await workspace.write('nightmill.yaml', configYaml({ url }));

    const report = await workspace.json<Report>(['doctor', '--provider', 'acme']);
    expect(report).toMatchObject({ ok: true, provider: 'acme', model: 'small' });
    expect(report.checks.filter(({ state }) => state !== 'ok')).toEqual([]);
    expect(report.capabilities).toMatchObject({ structuredOutput: 'json_schema', temperature: true });
    expect(report.costUsd).toBeGreaterThan(0);
    expect(report.costUsd).toBeLessThan(0.001);
    expect(report.usage.inputTokens).toBeGreaterThan(0);
    expect(report.rateLimitHeaders).toMatchObject({ 'x-ratelimit-limit-requests': '600' });
    expect(report.checks.find(({ name }) => name === 'log-probabilities')?.detail).toMatch(/^present: write /);
    const bill = (await (await fetch(new URL('/bill', url))).json()) as readonly { readonly costNanoUsd: number }[];
    expect(bill.map(({ costNanoUsd }) => costNanoUsd)).toEqual([usdToNano(report.costUsd ?? 0)]);

    // It is in the books like any other call.
    await workspace.write('bill.jsonl', toJsonl(bill));
    const reconciled = await workspace.run(['reconcile', '--bill', 'bill.jsonl', '--json']);
    expect(reconciled, reconciled.stdout).toMatchObject({ code: 0 });
    expect(JSON.parse(reconciled.stdout)).toMatchObject({
      explained: true,
      probes: { calls: 1, costUsd: report.costUsd },
    });
  });

  it('prints lines for people, and asks the model that is named', async () => {
    const { code, stdout } = await doctor(configYaml({ url: model.url }), '--provider', 'acme', '--model', 'large');
    expect(code).toBe(0);
    expect(model.calls.map(({ body }) => body.model)).toEqual(['large-2026-01-01']);
    expect(stdout).toMatch(/^ok +reachable +http:\/\/127\.0\.0\.1/m);
    expect(stdout).toMatch(/^ok +cost +this call cost \$0\.0\d+$/m);
    expect(stdout).toMatch(
      /^warning +structured output +the schema is ignored, .*write providers\.acme\.structuredOutput/m,
    );
  });

  it('ends with 1 and the fix where the key is wrong', async () => {
    await using simulator = await startTestSimulator({ apiKey: 'right' });
    const { code, stdout } = await doctor(configYaml({ url: simulator.url }), '--provider', 'acme');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FAILED +authenticated .*apiKey/m);
  });

  it.each([
    [['--provider', 'nobody'], /no provider named "nobody" in the config; known: acme/],
    [
      ['--provider', 'acme', '--model', 'huge'],
      /no model of provider acme named "huge" in the config; known: small, large/,
    ],
    [['--model', 'small'], /name its provider too, with --provider/],
  ])('ends with 2 on %j and calls nobody', async (args, message) => {
    const { code, stderr } = await doctor(configYaml({ url: model.url }), ...args);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) });
    expect(model.calls).toHaveLength(0);
  });
});
