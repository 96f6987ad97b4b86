import { afterAll, expect, it } from 'vitest';
import { pairsOf } from '../helpers/all-tests.ts';
import { startTestSimulator } from '../helpers/simulator.ts';
import { startTcpRedis } from '../helpers/tcp-redis.ts';
import { makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';

const redis = await startTcpRedis();
afterAll(() => redis[Symbol.asyncDispose]());

const DOCUMENTS = 200;
const MODEL = 'small-2026-01-01';
const PRICE = { inputPerMillion: 0.15, outputPerMillion: 0.6 };

interface Case {
  readonly tokens: number;
  /** Dollars. */
  readonly limit: number;
  readonly afterCalls: number;
  /** Dollars; absent: not stated, so learnt from the first reply. */
  readonly maxOverrun?: number;
}

const CASES: readonly Case[] = [
  { tokens: 600, limit: 0.03, afterCalls: 0 },
  { tokens: 3_000, limit: 0.15, afterCalls: 0 },
  { tokens: 600, limit: 0.03, afterCalls: 40, maxOverrun: 0.00036 },
  { tokens: 3_000, limit: 0.15, afterCalls: 40, maxOverrun: 0.0018 },
];

let runs = 0;

it.each(pairsOf([1, 3], CASES).map(([workers, played]) => ({ workers, ...played })))(
  'a provider that thinks $tokens tokens beyond the output cap after $afterCalls calls bills no more than the limit, with $workers workers',
  async ({ workers, tokens, limit, afterCalls, maxOverrun }) => {
    await using simulator = await startTestSimulator({
      models: {
        [MODEL]: { price: PRICE, contextTokens: 32_768, accuracy: 1, thinksBeyondCap: { tokens, afterCalls } },
      },
    });
    runs += 1;
    const prefix = `overrun-${runs}`;
    const config = {
      redis: redis.url,
      redisPrefix: prefix,
      providers: { acme: { kind: 'openai', baseUrl: simulator.url } },
      models: {
        small: {
          provider: 'acme',
          id: MODEL,
          price: { ...PRICE, ...(maxOverrun === undefined ? {} : { maxOverrun }) },
        },
      },
      workflows: {
        triage: { task: 'classify', labels: ['billing', 'bug', 'other'], cascade: [{ model: 'small' }] },
      },
    };
    await using workspace = await Workspace.make({
      'nightmill.yaml': JSON.stringify(config),
      'docs.jsonl': toJsonl(makeDocuments(DOCUMENTS)),
    });
    await workspace.run(['submit', 'docs.jsonl', '-w', 'triage', '--id', 'night', '--budget', String(limit)]);
    await Promise.all(Array.from({ length: workers }, () => workspace.startWorker()));
    const status = await workspace.statusWhen('night', ({ state }) => state === 'paused' || state === 'completed');
    expect(status).toMatchObject({ state: 'paused', breaker: { cause: 'budget' } });
    const billed = simulator.bill().reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0);
    expect(billed).toBeLessThanOrEqual(limit * 1e9);
    expect(billed).toBeGreaterThan(limit * 0.9e9);
    expect(simulator.bill().length).toBeGreaterThan(afterCalls);
    const cancelled = await workspace.run(['cancel', 'night']);
    expect(cancelled, cancelled.stderr).toMatchObject({ code: 0 });
    await workspace.statusWhen('night', ({ state }) => state === 'cancelled');
    await workspace.run(['results', 'night', '-o', 'out']);
    const { results, manifest } = await workspace.readOutput('out');
    const [model] = manifest.cost.byModel as readonly { readonly overCapCalls?: number }[];
    expect(model?.overCapCalls).toBe(simulator.bill().length - afterCalls);
    const marked = results.filter((row) => (row as { warnings?: string[] }).warnings?.includes('output_over_cap'));
    expect(marked.length).toBeGreaterThan(0);
  },
  240_000,
);
