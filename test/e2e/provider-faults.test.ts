import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { usdToNano } from '../../src/money/money.ts';
import type { FaultRates } from '../../src/simulator/options.ts';
import { startTestSimulator } from '../helpers/simulator.ts';
import { startTcpRedis, type TcpRedis } from '../helpers/tcp-redis.ts';
import { configYaml, expectBalanced, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';

let redis: TcpRedis;

beforeAll(async () => {
  redis = await startTcpRedis();
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
});

const documents = makeDocuments(120);
const ids = documents.map(({ id }) => id);

const cases: readonly (readonly [string, FaultRates])[] = [
  ['that lose replies', { serverError: 0.1, rateLimited: 0.1, resetBeforeBilling: 0.05, resetAfterBilling: 0.1 }],
  ['that spoil replies', { garbage: 0.1, truncated: 0.1, wrongLabel: 0.1, badJson: 0.1, refusal: 0.05 }],
];

describe('nightmill run with a provider that fails', () => {
  it.each(cases)('faults %s leave each document in one row and the books explain the bill', async (_name, faults) => {
    await using simulator = await startTestSimulator({
      seed: 11,
      faults,
      models: {
        'small-2026-01-01': { price: { inputPerMillion: 0.15, outputPerMillion: 0.6 }, contextTokens: 32_768 },
        'large-2026-01-01': { price: { inputPerMillion: 2.5, outputPerMillion: 10 }, contextTokens: 128_000 },
      },
    });
    const cascade = '[{ model: small, acceptAt: 0.3 }, { model: large }]';
    await using workspace = await Workspace.make({
      'nightmill.yaml': configYaml({ url: simulator.url, redis: redis.url, cascade, slice: 30, concurrency: 16 }),
      'docs.jsonl': toJsonl(documents),
    });
    const run = await workspace.run(['run', 'docs.jsonl', '-w', 'triage', '-o', 'out']);
    const output = await workspace.readOutput('out');
    expect(run.code, run.stderr).toBe(output.errors.length === 0 ? 0 : 4);
    expectBalanced(output, ids);
    expect(output.results.map((row) => row.id)).toEqual(
      ids.filter((id) => output.results.some((row) => row.id === id)),
    );
    expect(output.results.length).toBeGreaterThan(110);
    for (const name of Object.keys(faults)) {
      expect((simulator.totals().faults as Readonly<Record<string, number>>)[name], name).toBeGreaterThan(0);
    }
    // What the provider billed and no row counts was lost on the way: it is covered by calls booked as uncertain.
    const bill = simulator.bill().reduce((sum, line) => sum + line.costNanoUsd, 0);
    const { costUsd, uncertainUsd, cost } = output.manifest;
    expect(bill).toBeGreaterThanOrEqual(usdToNano(costUsd));
    expect(bill).toBeLessThanOrEqual(usdToNano(costUsd) + usdToNano(uncertainUsd));
    const rowCalls = [...output.results, ...output.errors].reduce((sum, row) => sum + row.calls, 0);
    expect(simulator.bill().length - rowCalls).toBeLessThanOrEqual(cost.uncertain.calls);
    expect(simulator.bill().length).toBeGreaterThanOrEqual(rowCalls);
  });
});
