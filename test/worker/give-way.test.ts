import { describe, expect, test } from 'vitest';
import { SliceRun } from '../../src/calls/slice-run.ts';
import { giveWay, overtaken } from '../../src/worker/give-way.ts';
import { FakeClock } from '../helpers/memory/fake-clock.ts';

const at = (batch: string, turn: number, hasBegun = false) => ({ batch, turn, hasBegun });

describe('overtaken()', () => {
  test('the last slice that has begun nothing goes back for one of another batch that goes before all of its batch', () => {
    const atWork = [at('large', 10, true), at('large', 20), at('large', 40), at('large', 30)];
    expect(overtaken(atWork, { batch: 'small', turn: 9 })).toBe(atWork[2]);
  });

  test('nothing goes back that has begun', () => {
    const atWork = [at('large', 10, true), at('large', 20), at('large', 30, true)];
    expect(overtaken(atWork, { batch: 'small', turn: 9 })).toBe(atWork[1]);
    expect(overtaken([at('large', 10, true)], { batch: 'small', turn: 9 })).toBeUndefined();
  });

  test.each([
    ['slices of one batch', 'large', 5],
    ['one that goes before some of that batch only', 'small', 15],
    ['one with the same turn', 'small', 10],
  ])('nothing changes places with %s', (_, batch, turn) => {
    expect(overtaken([at('large', 10, true), at('large', 20)], { batch, turn })).toBeUndefined();
  });

  test('batches are looked at apart: one that waits for its own first slice overtakes the other', () => {
    const atWork = [at('small', 3), at('large', 10, true), at('large', 20)];
    expect(overtaken(atWork, { batch: 'small', turn: 4 })).toBe(atWork[2]);
    expect(overtaken(atWork, { batch: 'other', turn: 4 })).toBe(atWork[2]);
    expect(overtaken([at('small', 3), at('large', 2, true), at('large', 20)], { batch: 'other', turn: 4 })).toBe(
      undefined,
    );
  });
});

describe('giveWay()', () => {
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const run = (batchId: string, turn: number, more: { workflow?: string; ending?: 'cancelled' } = {}) => {
    const { workflow = 'triage', ...options } = more;
    const claim = { batchId, workflow, slice: turn, token: '1', timezones: { global: 'UTC', workflow: 'UTC' } };
    return new SliceRun(claim, new Map(), { turn, ...options });
  };

  /** @returns how often the queue was asked in three looks */
  async function threeLooks(runs: readonly SliceRun[], next: () => Promise<{ batch: string; turn: number }>) {
    const clock = new FakeClock();
    const stopping = new AbortController();
    let asked = 0;
    const queue = {
      next: async () => {
        asked += 1;
        return await next();
      },
    };
    clock.onSleep = () => {
      if (clock.slept.length > 3) stopping.abort();
    };
    await giveWay({ clock, log, runs: new Set(runs), queue }, { workflows: ['triage'], slices: 2 }, stopping.signal);
    return asked;
  }

  const small = async () => ({ batch: 'small', turn: 1 });

  test('one slice at a time goes back, and none while a place is free', async () => {
    const runs = [run('large', 10), run('large', 20), run('large', 5, { workflow: 'other' })];
    expect(await threeLooks(runs, small)).toBe(1);
    expect(runs.map(({ reason }) => reason?.kind)).toEqual([undefined, 'overtaken', undefined]);
  });

  test('the queue is not asked while all have begun, nor for what a batch’s end works on', async () => {
    const begun = [run('large', 10), run('large', 20)];
    for (const slice of begun) slice.begin();
    expect(await threeLooks(begun, small)).toBe(0);
    expect(await threeLooks([run('large', 10), run('large', 0, { ending: 'cancelled' })], small)).toBe(0);
  });

  test('a slice that begins while the queue is asked stays', async () => {
    const runs = [run('large', 10), run('large', 20)];
    await threeLooks(runs, async () => {
      for (const slice of runs) slice.begin();
      return await small();
    });
    expect(runs.map(({ reason }) => reason)).toEqual([undefined, undefined]);
  });

  test('a queue that cannot be asked is asked again', async () => {
    const runs = [run('large', 10), run('large', 20)];
    expect(await threeLooks(runs, () => Promise.reject(new Error('Redis is away')))).toBe(3);
    expect(runs.map(({ reason }) => reason)).toEqual([undefined, undefined]);
  });
});
