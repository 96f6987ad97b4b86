import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/adapters/memory-store/memory-store.ts';
import { powerCost, sharesOf } from '../../src/providers/power.ts';
import { addToPowerBook, readPowerBook, sumByProvider } from '../../src/providers/power-book.ts';

const MINUTE = 60_000;
const NOON = Date.parse('2026-03-01T12:00:00Z');
const DAY = 86_400_000;

const night = { provider: 'gpu', workflow: 'night', batch: 'n1', ms: MINUTE, cost: 20 };

describe('the book of a server', () => {
  it('adds intervals up by workflow and batch, and takes each once', async () => {
    const store = new MemoryStore();
    await addToPowerBook(store, 'gpu', NOON, [night]);
    await addToPowerBook(store, 'gpu', NOON, [night]);
    await addToPowerBook(store, 'gpu', NOON + MINUTE, [night, { ...night, batch: 'n2' }]);
    expect(await readPowerBook(store, { since: NOON, until: NOON })).toEqual([
      { ...night, ms: 2 * MINUTE, cost: 40 },
      { ...night, batch: 'n2' },
    ]);
  });

  it('is read by days and providers, with no bound where none is named', async () => {
    const store = new MemoryStore();
    await addToPowerBook(store, 'gpu', NOON - DAY, [night]);
    await addToPowerBook(store, 'gpu', NOON, [night]);
    await addToPowerBook(store, 'gpu-2', NOON, [{ ...night, provider: 'gpu-2' }]);
    const read = async (since: number, until: number) =>
      (await readPowerBook(store, { since, until, provider: 'gpu' })).length;
    expect([await read(NOON, NOON), await read(0, NOON - DAY), await read(0, Number.POSITIVE_INFINITY)]).toEqual([
      1, 1, 2,
    ]);
  });

  it('says no sum where the cost of a part is not known', () => {
    const { cost: _, ...unpriced } = night;
    const sums = sumByProvider([night, unpriced, { ...night, provider: 'other' }]);
    expect(sums).toEqual([
      { provider: 'gpu', ms: 2 * MINUTE },
      { provider: 'other', ms: MINUTE, cost: 20 },
    ]);
  });
});

describe('what a time costs', () => {
  it('is every minute that was begun', () => {
    expect([0, 1, MINUTE, MINUTE + 1].map((ms) => powerCost(60_000_000, ms))).toEqual([
      0, 1_000_000, 1_000_000, 2_000_000,
    ]);
  });

  it('is shared in equal parts that add up to it', () => {
    const shares = sharesOf({ workflow: 'night', batches: ['a', 'b', 'c'] }, 'gpu', { ms: MINUTE, cost: 20 });
    expect(shares.map(({ batch, ms, cost }) => [batch, ms, cost])).toEqual([
      ['a', 20_000, 8],
      ['b', 20_000, 6],
      ['c', 20_000, 6],
    ]);
    expect(sharesOf({ workflow: 'night', batches: [] }, 'gpu', { ms: MINUTE })).toEqual([
      { provider: 'gpu', workflow: 'night', ms: MINUTE },
    ]);
  });
});
