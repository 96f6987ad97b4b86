import { expect, it } from 'vitest';
import { MemoryStore } from '../../../src/adapters/memory-store/memory-store.ts';
import { putAnsweredTexts } from '../../../src/batches/answered-texts.ts';
import type { ModelTotals } from '../../../src/batches/model-totals.ts';
import { formatManifest, type Manifest } from '../../../src/finalize/manifest.ts';
import { LatencySum } from '../../../src/measures/latency.ts';
import { NO_USAGE } from '../../../src/money/usage.ts';
import { pastLatency, pastLatencyJson, pastLatencyTexts } from '../../../src/operations/figures/past-latency.ts';
import { storeKeys } from '../../../src/store/store-keys.ts';
import type { WorkflowSpec } from '../../../src/workflows/workflow.ts';
import { NOTHING_SPENT } from '../../helpers/nothing-spent.ts';

const SPEC = {
  name: 'triage',
  cascade: [
    { model: { name: 'local', provider: 'local', id: 'local' } },
    { model: { name: 'small', provider: 'acme', id: 'small-1' } },
    { model: { name: 'large', provider: 'other', id: 'large-1' } },
  ],
} as unknown as WorkflowSpec;

function totals(ms: number, firstByteMs: number | undefined): ModelTotals {
  const times = new LatencySum();
  for (let call = 0; call < 10; call++) times.add(ms, 5, firstByteMs);
  const latency = times.total();
  const own = { model: 'small', provider: 'acme', tier: 1, calls: 10, accepted: 10, usage: NO_USAGE, cost: 0 };
  return { ...own, ...(latency === undefined ? {} : { latency }) };
}

interface Night {
  readonly day: number;
  readonly ms: number;
  readonly firstByteMs?: number;
  readonly tenant?: string;
  readonly id?: string;
}

/** A store in which these nights have completed. */
async function storeOf(nights: readonly Night[], workflow = 'triage'): Promise<MemoryStore> {
  const store = new MemoryStore();
  for (const { day, ms, firstByteMs, tenant, id = 'small-1' } of nights) {
    const batchId = `night-${day}`;
    const at = `2026-03-${String(day).padStart(2, '0')}T04:00:00.000Z`;
    const manifest: Partial<Manifest> = {
      batchId,
      finishedAt: at,
      results: [],
      errors: [],
      documents: { total: 10, succeeded: 10, failed: 0, cancelled: 0, expired: 0, skipped: 0 },
      usage: NO_USAGE,
      models: [totals(ms, firstByteMs)],
      cascade: [{ tier: 1, model: 'small', provider: 'acme', id }],
      ...NOTHING_SPENT,
    };
    await store.put(storeKeys.manifest(batchId), Buffer.from(formatManifest(manifest as Manifest)));
    const version = { workflow, configHash: `c${day}`, promptHash: 'p', tenant };
    const head = { batchId, cost: 0, files: [] };
    await putAnsweredTexts(store, version, Date.parse(at), head, [new Uint8Array(8)]);
  }
  return store;
}

it('is that of the five latest batches of the workflow, whatever its version, by model; a model without a call is not known', async () => {
  const nights = [1, 2, 3, 4, 5, 6].map((day) => ({ day, ms: day === 1 ? 90_000 : 300, firstByteMs: 100 }));
  const past = await pastLatency(await storeOf(nights), SPEC, undefined);
  expect(past).toMatchObject([
    {
      model: 'small',
      provider: 'acme',
      batches: 5,
      lastFinishedAt: '2026-03-06T04:00:00.000Z',
      latency: { calls: 50 },
    },
    { model: 'large', provider: 'other', batches: 0 },
  ]);
  const [known, unknown] = pastLatencyJson(past) ?? [];
  expect(known).toMatchObject({ calls: 50, batches: 5, p95Ms: 299, firstByteP50Ms: 102, tokensPerSecond: 16.7 });
  expect(unknown).toMatchObject({ calls: 0, lastFinishedAt: null, p50Ms: null, p95Ms: null, firstByteP50Ms: null });
  expect(pastLatencyTexts(past)).toEqual([
    'small at acme: p50 299 ms, p95 299 ms, first byte p50 102 ms, p95 102 ms, 16.7 tokens/s over 50 calls of 5 batches, the last of which ended 2026-03-06T04:00:00.000Z',
    "large at other: NOT KNOWN, no call of it in this workflow's latest completed batches",
  ]);
});

it('says of how many calls the first byte is known, and that it is not known of any', async () => {
  const some = await pastLatency(
    await storeOf([
      { day: 1, ms: 300 },
      { day: 2, ms: 300, firstByteMs: 100 },
    ]),
    SPEC,
    undefined,
  );
  expect(pastLatencyTexts(some)[0]).toContain('first byte p50 102 ms, p95 102 ms (of 10 calls), ');
  const none = await pastLatency(await storeOf([{ day: 1, ms: 300 }]), SPEC, undefined);
  expect(pastLatencyTexts(none)[0]).toContain('first byte NOT KNOWN, ');
});

it("leaves out other workflows, another tenant's batches, another model of the same name and a damaged manifest", async () => {
  const unknown = [{ batches: 0 }, { batches: 0 }];
  expect(await pastLatency(await storeOf([{ day: 1, ms: 300 }], 'other'), SPEC, undefined)).toMatchObject(unknown);
  expect(await pastLatency(await storeOf([{ day: 1, ms: 300, id: 'small-0' }]), SPEC, undefined)).toMatchObject(
    unknown,
  );
  const shared = await storeOf([
    { day: 1, ms: 300, tenant: 'red' },
    { day: 2, ms: 300, tenant: 'blue' },
    { day: 3, ms: 300 },
  ]);
  expect(await pastLatency(shared, SPEC, 'red')).toMatchObject([{ batches: 1 }, { batches: 0 }]);
  await shared.put(storeKeys.manifest('night-1'), Buffer.from('no JSON'));
  expect(await pastLatency(shared, SPEC, 'red')).toMatchObject(unknown);
  expect(pastLatencyTexts(undefined)).toEqual(['NOT KNOWN: the store cannot be read']);
  expect(pastLatencyJson(undefined)).toBeNull();
});
