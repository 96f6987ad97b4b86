import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulator } from '../../src/simulator/start-simulator.ts';
import { classify, completionOf, contentOf, PLAIN_MODEL, post, QUICK } from './simulator-client.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'simulator-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

const texts = Array.from(
  { length: 400 },
  (_, n) => `Document ${n} about ${n % 2 === 0 ? 'invoices' : 'broken things'}.`,
);

/** What a simulator answers to the first `count` texts. */
async function answers(
  options: Parameters<typeof startSimulator>[0],
  more: Readonly<Record<string, unknown>> = {},
  count = texts.length,
) {
  await using simulator = await startSimulator(options);
  const replies = await Promise.all(texts.slice(0, count).map((text) => post(simulator.url, classify(text, more))));
  return replies.map((reply) => JSON.parse(contentOf(reply)) as { label: string; confidence: number });
}

describe('the answers of the simulator', () => {
  it('a simulator that is started again gives the same answers, bills and faults', async () => {
    const faults = { serverError: 0.2, badJson: 0.2 };
    const run = async () => {
      await using simulator = await startSimulator({ ...QUICK, faults });
      const replies = [];
      for (const text of texts.slice(0, 60)) replies.push(await post(simulator.url, classify(text)));
      const bill = simulator.bill().map(({ at: _, ...line }) => line);
      return { bill, replies: replies.map(({ status, text }) => [status, text.replace(/"created":\d+/, '')]) };
    };
    const first = await run();
    expect(await run()).toEqual(first);
    expect(new Set(first.replies.map(([status]) => status))).toEqual(new Set([200, 500, 503]));
  });

  it('the order of keys in a request does not change the answer, another seed does', async () => {
    const body = classify('Some text about nothing much.', { temperature: 0 });
    const turned = Object.fromEntries(Object.entries(body).reverse());
    await using simulator = await startSimulator(QUICK);
    await using other = await startSimulator({ ...QUICK, seed: 8 });
    const first = contentOf(await post(simulator.url, body));
    expect(contentOf(await post(simulator.url, turned))).toBe(first);
    expect(simulator.totals().duplicates).toBe(1);
    expect(contentOf(await post(other.url, body))).not.toBe(first);
  });

  it('a model is right as often as its accuracy says, and surer where it is right', async () => {
    const truthFile = join(folder, 'truth.jsonl');
    await writeFile(truthFile, texts.map((text) => JSON.stringify({ text, label: 'other' })).join('\n'));
    const given = await answers({ ...QUICK, truthFile, models: { plain: { ...PLAIN_MODEL, accuracy: 0.7 } } });
    const right = given.filter(({ label }) => label === 'other');
    const wrong = given.filter(({ label }) => label !== 'other');
    expect(right.length / given.length).toBeCloseTo(0.7, 1);
    const mean = (list: readonly { confidence: number }[]) =>
      list.reduce((sum, { confidence }) => sum + confidence, 0) / list.length;
    expect(mean(right)).toBeGreaterThan(mean(wrong) + 0.1);
  });

  it('samples of an unsure answer differ with a temperature, and only then', async () => {
    const flips = async (temperature: number) => {
      const [first, second] = [
        await answers(QUICK, { temperature, seed: 1 }, 150),
        await answers(QUICK, { temperature, seed: 2 }, 150),
      ];
      return first.filter(({ label }, index) => label !== second[index]!.label).length;
    };
    expect(await flips(0)).toBe(0);
    expect(await flips(1)).toBeGreaterThan(8);
  });

  it('a repeated beginning of a prompt is billed at the cached rate when the cache is on', async () => {
    const system = { role: 'system', content: 'Long instructions. '.repeat(300) };
    const body = (text: string) => ({
      model: 'plain',
      messages: [system, { role: 'user', content: text }],
      max_tokens: 5,
    });
    await using simulator = await startSimulator({ ...QUICK, promptCache: true });
    const first = completionOf(await post(simulator.url, body('one')));
    const second = completionOf(await post(simulator.url, body('two')));
    expect(first.usage.prompt_tokens_details.cached_tokens).toBe(0);
    // 1425 + 3 tokens of the system message, in steps of 128
    expect(second.usage.prompt_tokens_details.cached_tokens).toBe(1408);
    const line = simulator.bill()[1]!;
    expect(line.costNanoUsd).toBe((line.inputTokens - 1408) * 1000 + 1408 * 500 + line.outputTokens * 2000);
  });
});
