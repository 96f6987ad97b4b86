import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { usdToNano } from '../../src/money/money.ts';
import { HttpModel } from '../helpers/http-model.ts';
import { startTcpRedis, type TcpRedis } from '../helpers/tcp-redis.ts';
import { expectBalanced, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';

let redis: TcpRedis;

beforeAll(async () => {
  redis = await startTcpRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

const MODEL = 'small-2026-01-01';
const DOCUMENTS = 300;

function config(first: string, second: string): string {
  const price = 'price: { inputPerMillion: 0.15, outputPerMillion: 0.60 }';
  return `
redis: ${redis.url}
providers:
  main: { kind: openai, baseUrl: "${first}", limits: { concurrency: 8 } }
  spare: { kind: openai, baseUrl: "${second}", limits: { concurrency: 8 } }
models:
  small: { provider: main, id: ${MODEL}, maxOutputTokens: 1024, ${price} }
  small-b: { provider: spare, id: ${MODEL}, maxOutputTokens: 1024, ${price} }
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

describe('a provider that dies in the middle of a batch', () => {
  it('is stood in for until it is back, and both bills are in the manifest', async () => {
    const first = await HttpModel.start();
    await using second = await HttpModel.start();
    const documents = makeDocuments(DOCUMENTS);
    await using workspace = await Workspace.make({
      'nightmill.yaml': config(first.url, second.url),
      'docs.jsonl': toJsonl(documents),
    });
    const run = workspace.run(['run', 'docs.jsonl', '-w', 'triage', '-o', 'out']);
    first.holdAfter(20);
    await first.until(() => first.count('answered') === 20 && first.count('waiting') === 8);
    expect(second.calls).toEqual([]);
    second.holdAfter(20);
    await first[Symbol.asyncDispose]();
    await second.until(() => second.count('answered') === 20);
    await using again = await HttpModel.start(Number(new URL(first.url).port));
    // Little by little, so that work is left for when it is found back.
    while (again.count('answered') < 20) {
      second.holdAfter(2);
      await delay(100);
    }
    second.release();
    const ended = await run;
    expect(ended, ended.stderr).toMatchObject({ code: 0 });

    const output = await workspace.readOutput('out');
    expectBalanced(
      output,
      documents.map(({ id }) => id),
    );
    expect(output.manifest.documents['succeeded']).toBe(DOCUMENTS);
    const stoodIn = output.results.filter((row) => row.fallback === true);
    expect(stoodIn.length).toBeGreaterThanOrEqual(20);
    for (const row of output.results) expect(row.model).toBe(row.fallback === true ? 'small-b' : 'small');

    const models = [first, second, again];
    const billNano = models.reduce((sum, model) => sum + model.billNano, 0);
    const bills = models.reduce((sum, model) => sum + model.count('answered'), 0);
    const { costUsd, uncertainUsd, cost } = output.manifest;
    // What the first one had in hand when it died may stand on its bill, and is booked as uncertain.
    expect(cost.uncertain.calls).toBeLessThanOrEqual(8);
    const lost = billNano - usdToNano(costUsd);
    expect(lost).toBeGreaterThanOrEqual(0);
    expect(lost).toBeLessThanOrEqual(usdToNano(uncertainUsd));
    const calls = cost.byModel.reduce((sum, model) => sum + model.calls, 0);
    expect(bills - calls).toBeLessThanOrEqual(cost.uncertain.calls);
    expect(second.count('answered')).toBe(cost.byModel.find(({ model }) => model === 'small-b')?.calls);
  }, 180_000);
});
