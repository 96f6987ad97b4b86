import { expect, it } from 'vitest';
import { ModelSums, withProviders } from '../../src/batches/model-totals.ts';
import type { JournalEntry } from '../../src/ledger/journal-entry.ts';
import { type Latency, LatencySum, latencyFigures } from '../../src/measures/latency.ts';
import { NO_USAGE } from '../../src/money/usage.ts';
import { totalsByModel } from '../../src/slices/slice-rows.ts';
import type { WorkflowSpec } from '../../src/workflows/workflow.ts';
import { Random } from '../helpers/random.ts';

const call = (model: string, durationMs: number, outputTokens = 100, firstByteMs?: number) =>
  ({
    document: 0,
    model,
    tier: 0,
    durationMs,
    ...(firstByteMs === undefined ? {} : { firstByteMs }),
    cost: 1,
    usage: { ...NO_USAGE, outputTokens },
  }) as unknown as JournalEntry;

it('times of calls add up over slices by model, without those that failed and were paid for', () => {
  const first = totalsByModel([], [call('small', 100), call('small', 300), call('small', 0)], new Map([[0, 5]]));
  const second = totalsByModel([], [call('small', 500), call('large', 4_000)], new Map());
  const sum = new ModelSums().add(first).add(second).total();
  const small = sum.find(({ model }) => model === 'small')?.latency;
  const figures = latencyFigures(small as NonNullable<typeof small>);
  expect(figures).toMatchObject({ calls: 3, tokensPerSecond: 333.3 });
  expect(figures.p50Ms).toBeGreaterThanOrEqual(294);
  expect(figures.p50Ms).toBeLessThanOrEqual(306);
  expect(figures.p95Ms).toBeGreaterThanOrEqual(294);
  expect(sum.find(({ model }) => model === 'local')?.latency).toBeUndefined();
});

it('times until the first byte add up beside them; a call without one is unknown, not fast', () => {
  const slices = [
    [call('small', 100, 10, 40), call('small', 300, 10, 200)],
    [call('small', 300, 10), call('large', 900, 10)],
  ].map((journal) => totalsByModel([], journal, new Map([[0, 2]])));
  const sum = slices.reduce((sums, slice) => sums.add(slice), new ModelSums()).total();
  const figuresOf = (name: string) => {
    const latency = sum.find(({ model }) => model === name)?.latency;
    return latency === undefined ? undefined : latencyFigures(latency);
  };
  expect(figuresOf('small')).toMatchObject({ calls: 3, firstByte: { calls: 2 } });
  expect(figuresOf('small')?.firstByte?.p50Ms).toBeCloseTo(40, -1);
  expect(Math.abs((figuresOf('small')?.firstByte?.p95Ms ?? 0) / 200 - 1)).toBeLessThan(0.0205);
  expect(figuresOf('large')).not.toHaveProperty('firstByte');
  expect(figuresOf('local')).toBeUndefined();
});

it('what a million calls took and waited for their first byte stays under 1 kB a model, within 2 percent', () => {
  const numbers = new Random(3);
  const CALLS = 1_000_000;
  const whole = new LatencySum();
  const waits = new Float64Array(CALLS);
  for (let at = 0; at < CALLS; at++) {
    const wait = Math.min(2_000_000, 120 / (1 - numbers.next()) ** (1 / 1.2));
    waits[at] = wait;
    whole.add(Math.min(3_000_000, wait + 120 / (1 - numbers.next()) ** (1 / 1.2)), 100, wait);
  }
  const latency = whole.total() as Latency;
  expect(latency.sketch.length + (latency.firstByte?.sketch.length ?? 0)).toBeLessThan(1_000);
  waits.sort();
  const { firstByte } = latencyFigures(latency);
  expect(Math.abs((firstByte?.p50Ms ?? 0) / (waits[CALLS / 2 - 1] ?? 0) - 1)).toBeLessThan(0.0225);
  expect(Math.abs((firstByte?.p95Ms ?? 0) / (waits[CALLS * 0.95 - 1] ?? 0) - 1)).toBeLessThan(0.0225);
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
