import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { breakerEvents } from '../../src/finalize/breaker-events.ts';
import { finalizeBatch } from '../../src/finalize/finalize-batch.ts';
import { usdToNano } from '../../src/money/money.ts';
import { ModelCallError } from '../../src/providers/failure.ts';
import { addToPowerBook } from '../../src/providers/power-book.ts';
import { processSlice } from '../../src/slices/process-slice.ts';
import { storeKeys } from '../../src/store/store-keys.ts';
import { labelReply, MemoryApp, SMALL, TRIAGE } from '../helpers/memory/memory-app.ts';

const LARGE = { ...SMALL, name: 'large', id: 'large-1', price: { ...SMALL.price, outputPerMillion: 9_000_000_000 } };
const CASCADE = { ...TRIAGE, cascade: [{ model: SMALL, acceptAt: 0.95 }, { model: LARGE as typeof SMALL }] };

interface Receipt {
  readonly costUsd: number;
  readonly costNanoUsd: number;
  readonly labels: object;
  readonly served: readonly object[];
  readonly warnings: readonly string[];
  readonly escalations: object;
  readonly rejections: object;
  readonly callRetries: object;
  readonly cascade: readonly object[];
  readonly cost: {
    readonly byModel: readonly { model: string; tier: number; calls: number; accepted: number; costNanoUsd: number }[];
    readonly dearest: readonly { id: string; costUsd: number }[];
    readonly uncertain: { readonly list: readonly object[] };
    readonly instructionsShare: number;
    readonly power?: readonly object[];
    readonly strongestAlone: { readonly basis: string };
  };
}

async function end(app: MemoryApp, batchId: string): Promise<{ receipt: Receipt; rows: readonly Row[] }> {
  await processSlice(app.slices, { batch: batchId, slice: 0 });
  expect(await finalizeBatch(app.finalize, batchId)).toBe(true);
  const manifest = await app.store.get(storeKeys.manifest(batchId));
  const rows: Row[] = [];
  for (const key of [storeKeys.output(batchId, 0), storeKeys.errors(batchId, 0)]) {
    const bytes = await app.store.get(key);
    const lines = bytes === undefined ? [] : gunzipSync(bytes).toString().split('\n');
    rows.push(...lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Row));
  }
  return { receipt: JSON.parse(Buffer.from(manifest ?? '').toString()) as Receipt, rows };
}

interface Row {
  readonly id: string;
  readonly costUsd: number;
  readonly spent?: readonly {
    tier: number;
    model: string;
    calls: number;
    costNanoUsd: number;
    requestIds?: string[];
  }[];
}

describe('a receipt of a batch that a server was switched on for', () => {
  it('has its part of that time, beside its own money; one that may ask none says nothing of it', async () => {
    const app = await MemoryApp.open(CASCADE);
    app.answer = () => labelReply('bug', 0.99);
    const [first, second] = [await app.batchOf(['a']), await app.batchOf(['b'])];
    const { createdAt } = (await app.batches.get(first)) ?? { createdAt: 0 };
    const share = { provider: SMALL.provider, workflow: 'triage', ms: 60_000, cost: 20 };
    await addToPowerBook(app.store, SMALL.provider, createdAt, [{ ...share, batch: first }, share]);
    app.powered.add('other');
    expect((await end(app, second)).receipt.cost.power).toBeUndefined();
    app.powered.add(SMALL.provider);
    const { receipt } = await end(app, first);
    expect(receipt.cost.power).toEqual([{ provider: SMALL.provider, seconds: 60, costUsd: 2e-8 }]);
    expect(receipt.cost.byModel.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0)).toBe(receipt.costNanoUsd);
    const third = await app.batchOf(['c']);
    expect((await end(app, third)).receipt.cost.power).toEqual([{ provider: SMALL.provider, seconds: 0, costUsd: 0 }]);
  });
});

describe('a receipt that can be reckoned again by hand', () => {
  it('the spent parts of the rows add up to byModel and to the whole, as the jq of the documentation adds them', async () => {
    const app = await MemoryApp.open(CASCADE);
    let calls = 0;
    app.answer = ({ modelId }) => {
      calls += 1;
      const isSure = modelId === 'large-1' || calls % 3 === 0;
      return { ...labelReply('bug', isSure ? 0.99 : 0.5), model: modelId, requestId: `r-${calls}` };
    };
    const { receipt, rows } = await end(app, await app.batchOf(Array.from({ length: 10 }, (_, index) => `t ${index}`)));
    const spent = rows.flatMap((row) => row.spent ?? []);
    expect(spent.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0)).toBe(receipt.costNanoUsd);
    expect(usdToNano(receipt.costUsd)).toBe(receipt.costNanoUsd);
    for (const { model, tier, costNanoUsd, calls: made } of receipt.cost.byModel) {
      const own = spent.filter((each) => each.model === model && each.tier === tier);
      expect(own.reduce((sum, each) => sum + each.costNanoUsd, 0)).toBe(costNanoUsd);
      expect(own.reduce((sum, each) => sum + each.calls, 0)).toBe(made);
    }
    for (const row of rows) {
      expect((row.spent ?? []).reduce((sum, each) => sum + each.costNanoUsd, 0)).toBe(usdToNano(row.costUsd));
      expect(row.spent?.[0]?.requestIds?.[0]).toMatch(/^r-/);
    }
    expect(receipt.labels).toEqual({ bug: 10 });
    expect(receipt.escalations).toMatchObject({ low_confidence: { count: receipt.cost.byModel[1]?.calls } });
    expect(receipt.rejections).toEqual({});
    expect(receipt.cascade).toMatchObject([
      { tier: 0, model: 'small', provider: 'acme', id: 'small-1', acceptAt: 0.95, price: { inputPerMillion: 0.15 } },
      { tier: 1, model: 'large', price: { outputPerMillion: 9 } },
    ]);
    expect(receipt.cost.dearest).toHaveLength(10);
    expect(receipt.cost.dearest[0]?.costUsd).toBe(Math.max(...rows.map(({ costUsd }) => costUsd)));
    expect(receipt.cost.instructionsShare).toBeGreaterThan(0);
    expect(receipt.cost.strongestAlone.basis).toContain('for each of the 10 documents');
    expect(receipt.warnings).toEqual([]);
  });

  it('names the hosts of one model, and each one’s share of the calls', async () => {
    const other = { ...SMALL, name: 'small-b', id: 'small-2', pool: 'other' };
    const app = await MemoryApp.open({ ...TRIAGE, cascade: [{ model: SMALL, hosts: [other], spread: 'quota' }] });
    const { receipt, rows } = await end(app, await app.batchOf(Array.from({ length: 10 }, (_, index) => `t ${index}`)));
    expect(receipt.cascade).toMatchObject([
      { tier: 0, model: 'small', spread: 'quota' },
      { tier: 0, model: 'small-b', spread: 'quota' },
    ]);
    expect(receipt.cascade.some((model) => 'fallback' in model)).toBe(false);
    // A call that waits at one host may have gone to the other, so the halves are about equal.
    const [first, second] = receipt.cost.byModel;
    expect([first?.model, second?.model]).toEqual(['small', 'small-b']);
    expect(first?.calls).toBeOneOf([4, 5, 6]);
    expect(second?.calls).toBe(10 - (first?.calls ?? 0));
    for (const host of [first, second]) expect(host).toMatchObject({ hostShare: (host?.calls ?? 0) / 10 });
    expect(rows.filter((row) => row.spent?.[0]?.model === 'small-b')).toHaveLength(second?.calls ?? 0);
  });

  it('says which model and build was served, and warns of a change within the batch', async () => {
    const app = await MemoryApp.open();
    app.answer = ({ messages }) => {
      const fingerprint = JSON.stringify(messages).includes('first') ? 'fp_1' : 'fp_2';
      return { ...labelReply('bug'), model: 'small-1', fingerprint };
    };
    const { receipt } = await end(app, await app.batchOf(['the first', 'a', 'b']));
    expect(receipt.served).toEqual([
      { model: 'small', id: 'small-1', fingerprint: 'fp_1', calls: 1 },
      { model: 'small', id: 'small-1', fingerprint: 'fp_2', calls: 2 },
    ]);
    expect(receipt.warnings).toEqual([
      'model_changed: small was served by 2 models or builds: small-1 fp_1 (1 calls), small-1 fp_2 (2 calls)',
    ]);
  });

  it('an uncertain call is listed with its document, time and request id, and its retry is counted', async () => {
    const app = await MemoryApp.open();
    let failed = false;
    app.answer = ({ messages }) => {
      if (failed || !JSON.stringify(messages).includes('second')) return labelReply('bug');
      failed = true;
      throw new ModelCallError('too slow', { failure: 'timeout', billing: 'unknown', requestId: 'r-9' });
    };
    const { receipt } = await end(app, await app.batchOf(['one', 'the second']));
    expect(receipt.cost.uncertain.list).toMatchObject([
      {
        model: 'small',
        slice: 0,
        document: 'd1',
        requestId: 'r-9',
        reason: 'timeout',
        at: expect.stringMatching(/Z$/),
      },
    ]);
    expect(receipt.callRetries).toEqual({ timeout: 1 });
  });

  it('says how a model was asked otherwise than the config says, since it refused that', async () => {
    const app = await MemoryApp.open(CASCADE);
    app.lessons.set('small-1', { maxTokensField: 'max_completion_tokens', logprobs: false });
    const { receipt } = await end(app, await app.batchOf(['one']));
    expect(receipt.cascade).toMatchObject([
      { model: 'small', learned: { maxTokensField: 'max_completion_tokens', logprobs: false } },
      { model: 'large' },
    ]);
    expect(receipt.cascade[1]).not.toHaveProperty('learned');
  });
});

describe('the history of the breaker', () => {
  const at = (second: number) => `2026-03-01T00:00:0${second}.000Z`;
  const opened = (second: number, scope: string) => ({
    at: at(second),
    event: 'opened' as const,
    scope,
    reason: 'limit',
  });
  const closed = (second: number) => ({ at: at(second), event: 'closed' as const, reason: 'raised' });

  it('is in the order of time, once for each breach, and begins with the batch', () => {
    const own = [opened(3, 'batch:b'), closed(4), opened(6, 'batch:b')];
    const ofWorkflow = [opened(0, 'global/day'), opened(2, 'global/day'), opened(2, 'global/day'), closed(5)];
    expect(
      breakerEvents([...ofWorkflow, ...own], at(1)).map(({ at: when, event, scope }) => [when, event, scope]),
    ).toEqual([
      [at(2), 'opened', 'global/day'],
      [at(3), 'opened', 'batch:b'],
      [at(4), 'closed', undefined],
      [at(5), 'closed', undefined],
      [at(6), 'opened', 'batch:b'],
    ]);
  });
});
