import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { usdToNano } from '../../src/money/money.ts';
import { startSimulatorProcess } from '../helpers/simulator-process.ts';
import { startTcpRedis, type TcpRedis } from '../helpers/tcp-redis.ts';
import { expectBalanced, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';

let redis: TcpRedis;

beforeAll(async () => {
  redis = await startTcpRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

const MODEL = {
  price: { inputPerMillion: 0.15, outputPerMillion: 0.6 },
  latency: { p50Ms: 250, p95Ms: 400 },
  contextTokens: 32_768,
  accuracy: 1,
};
const [FIRST, SECOND] = ['small-2026-01-01', 'spare-2026-01-01'];
const DOCUMENTS = 600;

function config(first: string, second: string): string {
  const price = 'price: { inputPerMillion: 0.15, outputPerMillion: 0.60 }';
  return `
redis: ${redis.url}
providers:
  main: { kind: openai, baseUrl: "${first}", limits: { concurrency: 8 } }
  spare: { kind: openai, baseUrl: "${second}", limits: { concurrency: 8 } }
models:
  small: { provider: main, id: ${FIRST}, maxOutputTokens: 1024, ${price} }
  small-b: { provider: spare, id: ${SECOND}, maxOutputTokens: 1024, ${price} }
workflows:
  triage:
    task: classify
    labels: { billing: "Questions about invoices", bug: "Something is broken", other: "Anything else" }
    cascade: [{ model: small, fallback: [small-b] }]
    budget: { batch: 1.00 }
ingest: { sliceDocuments: 8 }
worker: { lockSeconds: 5 }
`;
}

/** Waits until so many calls stand on the bill. */
async function billed(simulator: { bill(): Promise<readonly unknown[]> }, calls: number): Promise<void> {
  while ((await simulator.bill()).length < calls) await new Promise((resolve) => setTimeout(resolve, 50));
}

describe('a provider that dies in the middle of a batch', () => {
  it('is stood in for until it is back, and both bills are in the manifest', async () => {
    await using first = await startSimulatorProcess({ models: { [FIRST]: MODEL } });
    await using second = await startSimulatorProcess({ models: { [SECOND]: MODEL } });
    const documents = makeDocuments(DOCUMENTS);
    await using workspace = await Workspace.make({
      'nightmill.yaml': config(first.url, second.url),
      'docs.jsonl': toJsonl(documents),
    });
    const run = workspace.start(['run', 'docs.jsonl', '-w', 'triage', '-o', 'out']);
    await billed(first, 20);
    expect(await second.bill()).toEqual([]);
    await first.kill();
    await billed(second, 20);
    const port = Number(new URL(first.url).port);
    await using again = await startSimulatorProcess({ port, models: { [FIRST]: MODEL } });
    await billed(again, 20);
    expect(await run.exited, run.stderr).toMatchObject({ code: 0 });

    const output = await workspace.readOutput('out');
    expectBalanced(
      output,
      documents.map(({ id }) => id),
    );
    expect(output.manifest.documents['succeeded']).toBe(DOCUMENTS);
    const stoodIn = output.results.filter((row) => row.fallback === true);
    expect(stoodIn.length).toBeGreaterThanOrEqual(20);
    for (const row of output.results) expect(row.model).toBe(row.fallback === true ? 'small-b' : 'small');

    const bills = (await Promise.all([first, second, again].map((simulator) => simulator.bill()))).flat();
    const billNano = bills.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0);
    const { costUsd, uncertainUsd, cost } = output.manifest;
    // What the first one had in hand when it died may stand on its bill, and is booked as uncertain.
    expect(cost.uncertain.calls).toBeLessThanOrEqual(8);
    const lost = billNano - usdToNano(costUsd);
    expect(lost).toBeGreaterThanOrEqual(0);
    expect(lost).toBeLessThanOrEqual(usdToNano(uncertainUsd));
    const calls = cost.byModel.reduce((sum, model) => sum + model.calls, 0);
    expect(bills.length - calls).toBeLessThanOrEqual(cost.uncertain.calls);
    expect((await second.bill()).length).toBe(cost.byModel.find(({ model }) => model === 'small-b')?.calls);
  }, 180_000);
});
