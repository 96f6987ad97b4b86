import { describe, expect, it } from 'vitest';
import { decideRemoval } from '../../src/batches/decide-removal.ts';
import { readRetentionTime, resolveRetention } from '../../src/store/retention.ts';

const DAY = 86_400_000;
const now = 1_000 * DAY;
const retention = { batches: 30 * DAY, results: 20 * DAY, inputs: 10 * DAY };
const ended = (days: number) => ({ state: 'completed' as const, finishedAt: now - days * DAY });

describe('decideRemoval()', () => {
  it('removes inputs, then results, then all of a batch by the time since its end, each once', () => {
    expect(decideRemoval(ended(9), retention, now, false)).toEqual([]);
    expect(decideRemoval(ended(10), retention, now, false)).toEqual(['inputs']);
    expect(decideRemoval(ended(20), retention, now, false)).toEqual(['inputs', 'results']);
    expect(decideRemoval({ ...ended(20), removed: ['inputs'] }, retention, now, false)).toEqual(['results']);
    expect(decideRemoval(ended(30), retention, now, false)).toBe('batch');
    expect(decideRemoval(ended(9_999), {}, now, false)).toEqual([]);
  });

  it('never removes anything of a batch that is kept, has not ended, is a retry or is being retried', () => {
    expect(decideRemoval({ ...ended(99), kept: true }, retention, now, false)).toEqual([]);
    expect(decideRemoval({ state: 'running' }, retention, now, false)).toEqual([]);
    expect(decideRemoval({ ...ended(99), retryOf: 'b' }, retention, now, false)).toEqual([]);
    expect(decideRemoval(ended(99), retention, now, true)).toEqual([]);
  });
});

it('retention times are hours and days', () => {
  expect(readRetentionTime('12h')).toBe(DAY / 2);
  expect(resolveRetention({ cache: '30d', audit: undefined })).toEqual({ cache: 30 * DAY });
  for (const text of ['0d', '30', '1w', '-1d', '']) expect(readRetentionTime(text)).toBeUndefined();
});
