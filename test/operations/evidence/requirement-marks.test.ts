import { describe, expect, it } from 'vitest';
import { loadConfigValue } from '../../../config/load.ts';
import { MemoryStore } from '../../../src/adapters/memory-store/memory-store.ts';
import { workflowHash } from '../../../src/batches/workflow-hash.ts';
import type { Evaluation } from '../../../src/evaluation/evaluation.ts';
import type { LatestBatch } from '../../../src/operations/evidence/latest-batch.ts';
import {
  type Known,
  knownFacts,
  planMarks,
  toldLimits,
  warningsOf,
} from '../../../src/operations/evidence/requirement-marks.ts';
import { storeKeys } from '../../../src/store/store-keys.ts';
import { judge, type Requirements } from '../../../src/workflows/requirements.ts';

const config = loadConfigValue(
  {
    providers: {
      acme: {
        kind: 'openai',
        baseUrl: 'http://127.0.0.1:7111/v1',
        apiKey: 'k',
        limits: { requestsPerMinute: 60, concurrency: 10 },
      },
    },
    models: { small: { provider: 'acme', id: 'small-2026-01-01', contextTokens: 8_192 } },
    workflows: { w: { task: 'classify', labels: ['a', 'b'], cascade: [{ model: 'small' }] } },
  },
  { env: {}, cwd: '/' },
);

function specOfW() {
  const spec = config.workflows.get('w')?.spec;
  if (spec === undefined) throw new RangeError('There is no workflow w');
  return spec;
}

function marks(requirements: Requirements, known: Known = {}, limits: Parameters<typeof knownFacts>[0] = config) {
  return judge(requirements, knownFacts(limits, specOfW(), requirements, known)).map(
    ({ requirement, state, found }) => `${requirement} ${state}: ${found}`,
  );
}

const unmet = (...asked: Parameters<typeof marks>) => marks(...asked).filter((mark) => mark.includes(' unmet: '));

const latest = (more: Partial<LatestBatch> = {}): LatestBatch => ({
  finishedAt: '2026-11-02T00:00:00.000Z',
  load: { calls: 2, inputTokens: 10, outputTokens: 1 },
  callSeconds: 20,
  p95Seconds: 30,
  cost: 2_000_000,
  ...more,
});

/** Of 400 documents, of which every so many a one is wrong; half of them took a second or less. */
function evaluated(run: string, wrongEvery: number, more: Partial<Evaluation> = {}): Evaluation {
  const items = Array.from({ length: 400 }, (_, index) => ({
    id: `${index}`,
    valid: 1 as const,
    scores: { accuracy: index % wrongEvery === 0 ? 0 : 1 },
    costUsd: 9,
    durationMs: 1_000,
  }));
  const accuracy = items.filter(({ scores }) => scores.accuracy === 1).length / items.length;
  const of = {
    run,
    workflow: 'w',
    evaluatedAt: '2026-11-01T00:00:00.000Z',
    hashes: {},
    documents: 400,
    costUsd: 3_600,
  };
  return { ...of, metrics: { accuracy }, latencyMs: { median: 1_000, p95: 1_000 }, items, ...more };
}

const plan = {
  documents: 100,
  cost: { low: 100_000_000, expected: 150_000_000, worst: 400_000_000 },
  unpriced: [],
  firstTier: { calls: 100, inputTokens: 20_000, outputTokens: 1_000 },
};

describe('what is known of requirements before a batch', () => {
  it('is its quota: 7,200 documents at 60 requests per minute take 2 hours', () => {
    expect(unmet({ documentsPerNight: 7_200, hours: 1 })).toEqual(['hours unmet: at least 2.0 h, by the quota alone']);
    expect(unmet({ documentsPerNight: 7_200, hours: 2 })).toEqual([]);
  });

  it('is the lower limit that a provider’s headers name', () => {
    const limits = toldLimits(config, [{ pool: 'acme', told: { requestsPerMinute: 30 } }]);
    expect(unmet({ documentsPerNight: 7_200, hours: 2 }, {}, limits)).toEqual([
      'hours unmet: at least 4.0 h, by the quota alone',
    ]);
    const higher = toldLimits(config, [{ pool: 'acme', told: { requestsPerMinute: 6_000 } }]);
    expect(unmet({ documentsPerNight: 7_200, hours: 2 }, {}, higher)).toEqual([]);
  });

  it('is also what the latest batch took: calls, latency and dollars of a document', () => {
    // Ten calls in flight of 20 s are 30 a minute, fewer than the quota allows.
    const requirements = { documentsPerNight: 7_200, hours: 2, p95LatencySeconds: 25, monthlyUsd: 1e9 };
    expect(unmet(requirements, { latest: latest() })).toEqual([
      'p95LatencySeconds unmet: 30.0 s',
      'monthlyUsd unmet: $432.00',
      'hours unmet: 8.0 h',
    ]);
  });

  it('are no hours that only an assumed latency would give, nor replies as long as they may be', () => {
    // 40 documents pass the quota in a minute; how long their calls take is not known.
    expect(unmet({ documentsPerNight: 40, hours: 0.001 })).toEqual([
      'hours unmet: at least 0.01 h, by the quota alone',
    ]);
    expect(unmet({ documentsPerNight: 40, hours: 0.0115 })).toEqual([]);
    const few = toldLimits(config, [{ pool: 'acme', told: { outputTokensPerMinute: 10 } }]);
    expect(unmet({ documentsPerNight: 600, hours: 1 }, { plan }, few)).toEqual([]);
  });

  it('leaves open what no batch has shown', () => {
    expect(unmet({ p95LatencySeconds: 1, usdPerThousandDocuments: 1 })).toEqual([]);
  });

  it('is said with what is wanted and how far it is off', () => {
    const requirements = { documentsPerNight: 7_200, hours: 1 };
    expect(warningsOf('w', judge(requirements, knownFacts(config, specOfW(), requirements, {})))).toEqual([
      'w does not meet its requirement hours: wanted 1.0 h, now at least 2.0 h, by the quota alone (off by 1.0 h).',
    ]);
  });
});

describe('what a plan knows of requirements', () => {
  const requirements: Requirements = {
    minQuality: { metric: 'accuracy', value: 0.9 },
    usdPerThousandDocuments: 2_000_000_000,
    contextTokens: 16_384,
    hours: 1,
    documentsPerNight: 60_000,
  };

  it('is what is expected; quality is not known before an evaluation', () => {
    expect(marks(requirements, { plan })).toEqual([
      'minQuality unknown: not known',
      'usdPerThousandDocuments met: $1.50',
      'hours unmet: at least 16.7 h, by the quota alone',
      'contextTokens unmet: 8,192',
    ]);
  });

  it('is the quality of the evaluation, and the dollars of these documents', () => {
    expect(marks(requirements, { plan, evaluation: evaluated('run', 50) }).slice(0, 2)).toEqual([
      expect.stringMatching(/^minQuality met: accuracy 0.9800, surely/),
      'usdPerThousandDocuments met: $1.50',
    ]);
  });

  it('is the latency of whichever is newer, evaluation or batch', () => {
    const p95 = (known: Known) => marks({ p95LatencySeconds: 5 }, known)[0];
    const evaluation = evaluated('run', 50);
    expect(p95({ evaluation, latest: latest() })).toBe('p95LatencySeconds unmet: 30.0 s');
    const older = latest({ finishedAt: '2026-10-31T00:00:00.000Z' });
    expect(p95({ evaluation, latest: older })).toBe('p95LatencySeconds met: 1.0 s');
  });

  it('has no dollars without a price, or without a document', () => {
    expect(marks(requirements, { plan: { ...plan, unpriced: ['small'] } })[1]).toBe(
      'usdPerThousandDocuments unknown: not known',
    );
    expect(marks(requirements, { plan: { ...plan, documents: 0 } })[1]).toBe(
      'usdPerThousandDocuments unknown: not known',
    );
  });
});

describe('marks of a plan', () => {
  const requirements: Requirements = { minQuality: { metric: 'accuracy', value: 0.9 }, p95LatencySeconds: 5 };
  const planned = [{ spec: specOfW(), plan }];

  it('are read from the newest evaluation and the latest batch of this very version', async () => {
    const store = new MemoryStore();
    const version = workflowHash(specOfW());
    const put = (evaluation: Evaluation) =>
      store.put(storeKeys.evaluation(evaluation.run), Buffer.from(JSON.stringify(evaluation)));
    await put(evaluated('old', 5, { hashes: { config: version }, evaluatedAt: '2026-10-01T00:00:00.000Z' }));
    await put(evaluated('new', 50, { hashes: { config: version } }));
    await put(evaluated('other', 2, { hashes: { config: 'other' }, evaluatedAt: '2026-12-01T00:00:00.000Z' }));
    const manifest = {
      finishedAt: '2026-11-02T00:00:00.000Z',
      hashes: { config: version },
      documents: { succeeded: 10, failed: 0 },
      costUsd: 0.01,
      usage: { inputTokens: 100, outputTokens: 10 },
      cost: { byModel: [{ model: 'small', calls: 10, latency: { p50Ms: 1_000, p95Ms: 9_000 } }] },
    };
    await store.put(storeKeys.manifest('night'), Buffer.from(JSON.stringify(manifest)));
    const recent = [{ batchId: 'night', workflow: 'w', state: 'completed' as const }];
    const [answer] = (await planMarks(config, requirements, planned, { store, recent, quotas: [] })) ?? [];
    expect(answer?.evaluation).toBe('new');
    expect(answer?.verdicts.map(({ state, found }) => `${state} ${found}`)).toEqual([
      expect.stringMatching(/^met accuracy 0.9800/),
      'unmet 9.0 s',
    ]);
  });

  it('are not known where the store has nothing, and none where nothing is required', async () => {
    const source = { store: new MemoryStore(), recent: [], quotas: [] };
    const [answer] = (await planMarks(config, requirements, planned, source)) ?? [];
    expect(answer?.verdicts.map(({ state }) => state)).toEqual(['unknown', 'unknown']);
    expect(await planMarks(config, undefined, planned, source)).toBeUndefined();
  });
});
