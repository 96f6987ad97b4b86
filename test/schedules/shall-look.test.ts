import { describe, expect, it } from 'vitest';
import { shallLook } from '../../src/schedules/keep-schedule.ts';
import { NIGHTLY } from './helpers.ts';

const SLOT = Date.parse('2026-11-29T01:00Z');
const SECOND = 1_000;

/** The moments at which a worker looks that asks itself each second from `from` until `to`, seconds from the slot. */
function looks(from: number, to: number, keepsHouse: boolean): readonly number[] {
  const looked: number[] = [];
  for (let second = from; second <= to; second += 1) {
    const now = SLOT + second * SECOND;
    const last = looked.at(-1);
    const lookedAt = last === undefined ? {} : { lookedAt: SLOT + last * SECOND };
    if (shallLook(NIGHTLY, { keepsHouse, now, ...lookedAt })) looked.push(second);
  }
  return looked;
}

describe('who looks at the calendar', () => {
  it('the worker that keeps house each second', () => {
    expect(looks(-30, 30, true)).toHaveLength(61);
  });

  it('the others at their start, once a minute, and once after a slot', () => {
    expect(looks(-200, 120, false)).toEqual([-200, -140, -80, -20, 5, 65]);
  });

  it('the others soon after a slot, also where they have looked just before', () => {
    expect(looks(-1, 30, false)).toEqual([-1, 5]);
    expect(looks(4, 30, false)).toEqual([4, 5]);
    expect(looks(6, 30, false)).toEqual([6]);
  });
});
