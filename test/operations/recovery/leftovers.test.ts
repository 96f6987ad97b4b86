import { expect, it } from 'vitest';
import { type Leftovers, leftoverFindings } from '../../../src/operations/recovery/leftovers.ts';

const now = Date.parse('2026-11-29T12:00Z');
const nothing: Leftovers = { open: [], orphans: [], evaluations: [], memoryUsed: undefined, now };
const found = (change: Partial<Leftovers>) =>
  leftoverFindings({ ...nothing, ...change }).map(({ name, state, detail }) => `${state} ${name}: ${detail}`);

it('names a submission that was cut off, and how to end it; one under way is left alone', () => {
  const open = [
    { batchId: 'old', state: 'ingesting' as const, createdAt: now - 3_700_000 },
    { batchId: 'new', state: 'ingesting' as const, createdAt: now - 60_000 },
    { batchId: 'works', state: 'running' as const, createdAt: now - 99_000_000 },
  ];
  expect(found({ open })).toEqual([expect.stringMatching(/^warning batch old: .*cut off.*nightmill cancel old$/)]);
});

it('names objects that belong to no batch, and both cures', () => {
  const orphans = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  expect(found({ orphans })).toEqual([
    expect.stringMatching(/^warning orphans: .*a, b, c, d, e and 2 more.*recover.*nightmill delete a$/),
  ]);
});

it('names evaluations whose batches are gone, and both cures', () => {
  expect(found({ evaluations: ['r1', 'r2'] })).toEqual([
    expect.stringMatching(
      /^warning evaluations: .*r1, r2 are left.*nightmill delete r1, or set retention.evaluations$/,
    ),
  ]);
});

it('warns before the memory of Redis is full', () => {
  expect(found({ memoryUsed: 0.79 })).toEqual([]);
  expect(found({ memoryUsed: 0.93 })).toEqual([expect.stringMatching(/^warning redis memory: 93 %.*maxmemory/)]);
});
