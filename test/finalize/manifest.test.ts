import { describe, expect, it } from 'vitest';
import type { ModelTotals } from '../../src/batches/model-totals.ts';
import { ModelSums } from '../../src/batches/model-totals.ts';
import { formatManifest, type Manifest } from '../../src/finalize/manifest.ts';

const usage = { inputTokens: 10, cachedInputTokens: 2, outputTokens: 3, reasoningTokens: 1 };
const totals = (model: string, tier: number, cost: number): ModelTotals => ({
  model,
  tier,
  calls: 2,
  accepted: 1,
  usage,
  cost,
});

const MANIFEST: Manifest = {
  batchId: 'b',
  state: 'completed',
  workflow: 'w',
  task: 'classify',
  createdAt: '2026-01-01T00:00:00.000Z',
  finishedAt: '2026-01-01T00:01:00.000Z',
  inputs: ['docs.jsonl'],
  documents: { total: 3, succeeded: 2, failed: 1, cancelled: 0, expired: 0, skipped: 0 },
  results: [{ key: 'batches/b/output/part-000000.jsonl.gz', bytes: 9, sha256: 'aa', lines: 2 }],
  errors: [{ key: 'batches/b/errors/part-000000.jsonl.gz', bytes: 8, sha256: 'bb', lines: 1 }],
  usage,
  models: [totals('small', 0, 1)],
  rejections: { invalid_json: { count: 1, cost: 4 } },
  redactions: { email: 2 },
  cost: 1,
  uncertain: [{ callId: 'c', model: 'small', slice: 0, cost: 7, reason: 'timeout' }],
  uncertainCost: 7,
  reused: { duplicates: 0, cached: 0, earlier: 1, saved: 0 },
  strongest: { model: 'large', cost: 30 },
  hashes: { content: '1', config: '2', prompt: '3', models: '4' },
  promptVersion: 'classify-v1',
  breaker: [{ at: '2026-01-01T00:00:30.000Z', event: 'opened', scope: 'batch:b', reason: 'limit' }],
};

describe('formatManifest()', () => {
  it('has every documented part, in dollars without exponents', () => {
    const text = formatManifest(MANIFEST);
    expect(text).toContain('"costUsd": 0.000000001');
    expect(text).not.toMatch(/\de-\d/);
    expect(JSON.parse(text)).toMatchObject({
      schemaVersion: 2,
      batch: 'b',
      state: 'completed',
      workflow: 'w',
      documents: MANIFEST.documents,
      files: [...MANIFEST.results, ...MANIFEST.errors],
      usage,
      costUsd: 1e-9,
      uncertainUsd: 7e-9,
      cost: {
        byModel: [{ model: 'small', tier: 0, calls: 2, accepted: 1, acceptedShare: 0.3333, usage, costUsd: 1e-9 }],
        uncertain: { calls: 1, costUsd: 7e-9, list: [{ callId: 'c', costUsd: 7e-9 }] },
        strongestAlone: { model: 'large', costUsd: 3e-8 },
      },
      rejections: { invalid_json: { count: 1, costUsd: 4e-9 } },
      redactions: { email: 2 },
      hashes: MANIFEST.hashes,
      promptVersion: 'classify-v1',
      breaker: MANIFEST.breaker,
    });
  });

  it('divides by no documents without a NaN', () => {
    const none = { total: 0, succeeded: 0, failed: 0, cancelled: 0, expired: 0, skipped: 0 };
    const parsed = JSON.parse(formatManifest({ ...MANIFEST, documents: none }));
    expect(parsed).toMatchObject({ cost: { byModel: [{ acceptedShare: 0 }] } });
  });
});

describe('ModelSums', () => {
  it('adds the same model at the same tier and keeps others apart, cheapest tier first', () => {
    const sum = new ModelSums()
      .add([totals('large', 1, 5), totals('small', 0, 1)])
      .add([totals('small', 0, 2), totals('small', 1, 9)])
      .total();
    expect(sum.map(({ model, tier, calls, accepted, cost }) => [model, tier, calls, accepted, cost])).toEqual([
      ['small', 0, 4, 2, 3],
      ['large', 1, 2, 1, 5],
      ['small', 1, 2, 1, 9],
    ]);
    expect(sum[0]?.usage).toEqual({ inputTokens: 20, cachedInputTokens: 4, outputTokens: 6, reasoningTokens: 2 });
  });
});
