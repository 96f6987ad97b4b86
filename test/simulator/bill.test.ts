import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BillLine, BillSummary } from '../../src/simulator/bill.ts';
import { startSimulator } from '../../src/simulator/start-simulator.ts';
import { classify, completionOf, control, PLAIN_MODEL, post, QUICK } from './simulator-client.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'simulator-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

const linesOf = async (path: string) =>
  (await readFile(path, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as BillLine);

describe('the bill of the simulator', () => {
  it('a bill line is in the file when the reply arrives, and prices the usage of the reply', async () => {
    const billFile = join(folder, 'bill.jsonl');
    await using simulator = await startSimulator({ ...QUICK, billFile });
    for (const text of ['One', 'Two', 'Three']) {
      const { usage } = completionOf(await post(simulator.url, classify(text)));
      const line = (await linesOf(billFile)).at(-1)!;
      expect(line).toMatchObject({
        inputTokens: usage.prompt_tokens,
        cachedInputTokens: 0,
        outputTokens: usage.completion_tokens,
      });
      expect(line.costNanoUsd).toBe(usage.prompt_tokens * 1000 + usage.completion_tokens * 2000);
      expect(new Date(line.at).toISOString()).toBe(line.at);
    }
    expect(await linesOf(billFile)).toEqual(simulator.bill());
    expect(await control(simulator.url, '/bill')).toEqual(simulator.bill());
    expect(simulator.bill().map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it('a simulator that is started again appends to the bill file', async () => {
    const billFile = join(folder, 'twice.jsonl');
    for (const _ of [1, 2]) {
      await using simulator = await startSimulator({ ...QUICK, billFile });
      await post(simulator.url, classify('One'));
    }
    expect(await linesOf(billFile)).toMatchObject([{ seq: 1 }, { seq: 1 }]);
  });

  it('the request hash is the SHA-256 of the body with sorted keys', async () => {
    await using simulator = await startSimulator(QUICK);
    await post(simulator.url, '{ "model": "plain", "messages": [{"role": "user", "content": "Hé"}], "max_tokens": 5 }');
    const canonical = '{"max_tokens":5,"messages":[{"content":"Hé","role":"user"}],"model":"plain"}';
    expect(simulator.bill()[0]!.requestHash).toBe(createHash('sha256').update(canonical).digest('hex'));
  });

  it('rates below a nano-dollar per token are rounded up once per call', async () => {
    const price = { inputPerMillion: '0.000000001', outputPerMillion: '0.000333333' };
    await using simulator = await startSimulator({ ...QUICK, models: { plain: { ...PLAIN_MODEL, price } } });
    await post(simulator.url, {
      model: 'plain',
      messages: [{ role: 'user', content: 'word '.repeat(100) }],
      max_tokens: 4,
    });
    // 131 input tokens x 1 + 4 output tokens x 333,333 = 1,333,463 millionths of a nano-dollar
    expect(simulator.bill()).toMatchObject([{ inputTokens: 131, outputTokens: 4, costNanoUsd: 2 }]);
  });

  it('a request that is billed twice shows as a duplicate with its cost', async () => {
    await using simulator = await startSimulator({ ...QUICK, models: { plain: PLAIN_MODEL, unused: PLAIN_MODEL } });
    for (const text of ['One', 'Two', 'One', 'One']) await post(simulator.url, classify(text));
    const [one, , again, third] = simulator.bill();
    expect(again!.requestHash).toBe(one!.requestHash);
    expect(again!.requestId).not.toBe(one!.requestId);
    const summary = await control<BillSummary>(simulator.url, '/bill/summary');
    expect(summary).toMatchObject({
      calls: 4,
      duplicates: 2,
      duplicateCostNanoUsd: again!.costNanoUsd + third!.costNanoUsd,
    });
    expect(summary.costNanoUsd).toBe(simulator.bill().reduce((sum, line) => sum + line.costNanoUsd, 0));
    expect(Number(summary.costUsd)).toBeCloseTo(summary.costNanoUsd / 1e9, 9);
    expect(summary.models).toEqual({ plain: expect.objectContaining({ calls: 4, costNanoUsd: summary.costNanoUsd }) });
    expect(simulator.totals()).toMatchObject(summary);
  });
});
