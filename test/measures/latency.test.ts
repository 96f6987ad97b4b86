import { expect, it } from 'vitest';
import { addModelTotals, withProviders } from '../../src/batches/model-totals.ts';
import type { JournalEntry } from '../../src/ledger/journal-entry.ts';
import { latencyFigures } from '../../src/measures/latency.ts';
import { NO_USAGE } from '../../src/money/usage.ts';
import { totalsByModel } from '../../src/slices/slice-rows.ts';
import type { WorkflowSpec } from '../../src/workflows/workflow.ts';

const call = (model: string, durationMs: number, outputTokens = 100) =>
  ({
    document: 0,
    model,
    tier: 0,
    durationMs,
    cost: 1,
    usage: { ...NO_USAGE, outputTokens },
  }) as unknown as JournalEntry;

it('times of calls add up over slices by model, without those that failed and were paid for', () => {
  const first = totalsByModel([], [call('small', 100), call('small', 300), call('small', 0)], new Map([[0, 5]]));
  const second = totalsByModel([], [call('small', 500), call('large', 4_000)], new Map());
  const sum = addModelTotals(first, second);
  const small = sum.find(({ model }) => model === 'small')?.latency;
  const figures = latencyFigures(small as NonNullable<typeof small>);
  expect(figures).toMatchObject({ calls: 3, tokensPerSecond: 333.3 });
  expect(figures.p50Ms).toBeGreaterThanOrEqual(294);
  expect(figures.p50Ms).toBeLessThanOrEqual(306);
  expect(figures.p95Ms).toBeGreaterThanOrEqual(294);
  expect(sum.find(({ model }) => model === 'local')?.latency).toBeUndefined();
});

it('withProviders() names the provider of each tier and of each that stands in for it, none for the local model', () => {
  const spec = {
    cascade: [{ model: { name: 'small', provider: 'acme' }, fallbacks: [{ name: 'spare', provider: 'other' }] }],
  } as unknown as WorkflowSpec;
  const totals = ['local', 'small', 'spare'].map((model) => ({
    model,
    tier: 0,
    calls: 1,
    accepted: 1,
    usage: NO_USAGE,
    cost: 0,
  }));
  expect(withProviders(totals, spec).map(({ provider }) => provider)).toEqual([undefined, 'acme', 'other']);
});
