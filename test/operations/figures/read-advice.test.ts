import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../../src/adapters/memory-store/memory-store.ts';
import type { Manifest } from '../../../src/finalize/manifest.ts';
import { type AdvisedBatch, readAdvice } from '../../../src/operations/figures/read-advice.ts';
import type { ClassifyWorkflow } from '../../../src/workflows/workflow.ts';
import { SMALL, TRIAGE } from '../../helpers/memory/memory-app.ts';

const WORKFLOW: ClassifyWorkflow = {
  ...TRIAGE,
  audit: 0.5,
  cascade: [{ model: SMALL, acceptAt: 0.95 }, { model: { ...SMALL, name: 'large' } }],
};

/** Both tiers agree on every document; the first one is sure enough of none. */
function rows(count: number): string {
  const row = (at: number) => ({
    id: `d${at}`,
    status: 'succeeded',
    attempts: [
      {
        tier: 0,
        model: 'small',
        label: 'bug',
        confidence: 0.5 + (at % 400) / 1_000,
        reason: 'low_confidence',
        costUsd: 0,
      },
      { tier: 1, model: 'large', label: 'bug', reason: 'accepted', costUsd: 0.001 },
    ],
  });
  return Array.from({ length: count }, (_, at) => `${JSON.stringify(row(at))}\n`).join('');
}

async function night(store: MemoryStore, name: string, count: number, config = 'same'): Promise<AdvisedBatch> {
  const body = gzipSync(rows(count));
  const key = `batches/${name}/output/part-000000.jsonl.gz`;
  await store.put(key, body);
  const sha256 = createHash('sha256').update(body).digest('hex');
  const manifest = {
    batchId: name,
    workflow: 'triage',
    finishedAt: `2026-11-${name.slice(-2)}T04:00:00.000Z`,
    documents: { total: count, succeeded: count, failed: 0, cancelled: 0, expired: 0, skipped: 0 },
    results: [{ key, bytes: body.length, sha256, lines: count }],
    models: [],
    hashes: { config },
  } as unknown as Manifest;
  return { manifest, workflow: WORKFLOW };
}

describe('readAdvice()', () => {
  it('reads the rows of the newest batches with the present settings, and reckons for all documents', async () => {
    const store = new MemoryStore();
    const batches = [
      await night(store, 'night-01', 100, 'older'),
      await night(store, 'night-02', 400),
      await night(store, 'night-03', 400),
    ];
    const [lower, label, ...others] = await readAdvice(store, batches);
    expect(others).toEqual([]);
    expect(lower).toMatchObject({ kind: 'lower', workflow: 'triage', saves: 900_000_000 });
    expect(label).toMatchObject({ kind: 'label', saves: 900_000_000 });
    expect(lower?.commands).toHaveLength(3);
    expect(lower?.commands.join()).not.toContain('night-01');
  });

  it('does without rows that retention has removed, and says what is missing', async () => {
    const store = new MemoryStore();
    const gone = await night(store, 'night-04', 400);
    const advice = await readAdvice(new MemoryStore(), [gone]);
    expect(advice).toMatchObject([{ kind: 'missing', message: expect.stringContaining('none of 0 rows') }]);
  });

  it('has nothing to say of a single tier, or of no batch', async () => {
    const store = new MemoryStore();
    const { manifest } = await night(store, 'night-05', 10);
    expect(await readAdvice(store, [{ manifest, workflow: TRIAGE }])).toEqual([]);
    expect(await readAdvice(store, [])).toEqual([]);
  });
});
