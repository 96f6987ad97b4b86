import { beforeEach, describe, expect, it } from 'vitest';
import { loadConfigValue } from '../../../config/load.ts';
import { MemoryStore } from '../../../src/adapters/memory-store/memory-store.ts';
import type { Evaluation } from '../../../src/evaluation/evaluation.ts';
import { judgeRuns } from '../../../src/operations/evidence/meets.ts';
import { storeKeys } from '../../../src/store/store-keys.ts';

const config = loadConfigValue(
  {
    providers: {
      acme: {
        kind: 'openai',
        baseUrl: 'http://127.0.0.1:7111/v1',
        apiKey: 'k',
        limits: { concurrency: 8, requestsPerMinute: 60 },
      },
    },
    models: { small: { provider: 'acme', id: 'small-2026-01-01', contextTokens: 8_192 } },
    workflows: {
      w: {
        task: 'classify',
        labels: ['a', 'b'],
        cascade: [{ model: 'small' }],
        requirements: {
          minQuality: { metric: 'accuracy', value: 0.9 },
          usdPerThousandDocuments: 2,
          contextTokens: 16_384,
          hours: 1,
          documentsPerNight: 60_000,
        },
      },
      free: { task: 'classify', labels: ['a', 'b'], cascade: [{ model: 'small' }] },
    },
  },
  { env: {}, cwd: '/' },
);

/** Of 400 documents, of which every so many a one is wrong. */
function evaluated(run: string, wrongEvery: number, costUsd: number, workflow = 'w'): Evaluation {
  const items = Array.from({ length: 400 }, (_, index) => ({
    id: `${index}`,
    valid: 1 as const,
    scores: { accuracy: index % wrongEvery === 0 ? 0 : 1 },
    costUsd,
    durationMs: 1_000,
  }));
  const accuracy = items.filter(({ scores }) => scores.accuracy === 1).length / items.length;
  const of = { run, workflow, evaluatedAt: '', hashes: {}, documents: 400, costUsd: 400 * costUsd };
  return { ...of, metrics: { accuracy }, latencyMs: { median: 1_000, p95: 1_000 }, items };
}

let store: MemoryStore;
beforeEach(() => {
  store = new MemoryStore();
});

const states = (judged: Awaited<ReturnType<typeof judgeRuns>>) =>
  judged?.map(({ name, verdicts }) => [name, ...verdicts.map(({ requirement, state }) => `${requirement} ${state}`)]);

describe('runs that are held to the requirements of their workflow', () => {
  it('meet them, or not and by how much; what nothing is known of is not known', async () => {
    const spec = config.workflows.get('w')?.spec;
    await store.put(storeKeys.submission('bad'), Buffer.from(JSON.stringify({ workflow: spec })));
    const judged = await judgeRuns({ store, config }, [evaluated('good', 50, 0.001), evaluated('bad', 10, 0.003)]);
    expect(states(judged)).toEqual([
      ['good', 'minQuality met', 'usdPerThousandDocuments met', 'hours unknown', 'contextTokens unknown'],
      ['bad', 'minQuality unmet', 'usdPerThousandDocuments unmet', 'hours unknown', 'contextTokens unmet'],
    ]);
    const by = judged?.[1]?.verdicts.map((verdict) => verdict.by);
    expect(by?.slice(1)).toEqual(['$1.00', undefined, '8,192']);
  });

  it('are held to none where the first one’s workflow has none, or is gone', async () => {
    expect(await judgeRuns({ store, config }, [evaluated('one', 50, 0.001, 'free')])).toBeUndefined();
    expect(await judgeRuns({ store, config }, [evaluated('one', 50, 0.001, 'gone')])).toBeUndefined();
  });
});
