import { describe, expect, it } from 'vitest';
import { decideSlots, LATE_AFTER_MS } from '../../src/schedules/decide-slots.ts';

const DAY = 86_400_000;
const now = 100 * DAY;
const passed = { slots: [now - 2 * DAY, now - DAY, now - DAY / 24], isCutOff: false, now, isPaused: false };
const fates = (options: Partial<Parameters<typeof decideSlots>[0]>) =>
  decideSlots({ ...passed, catchUp: 'latest', ...options }).map(({ fate }) => fate);

describe('decideSlots()', () => {
  it('after a downtime runs the latest slot, every slot, or none, and gives a reason for each that is missed', () => {
    expect(fates({ catchUp: 'latest' })).toEqual(['missed', 'missed', 'due']);
    expect(fates({ catchUp: 'all' })).toEqual(['due', 'due', 'due']);
    expect(fates({ catchUp: 'skip' })).toEqual(['missed', 'missed', 'missed']);
    for (const fate of decideSlots({ ...passed, catchUp: 'skip' })) {
      expect(fate).toMatchObject({ why: expect.stringContaining('no worker was there at its time') as string });
    }
  });

  it('with catchUp: skip runs what is late by less than five minutes', () => {
    expect(fates({ catchUp: 'skip', slots: [now - LATE_AFTER_MS] })).toEqual(['due']);
    expect(fates({ catchUp: 'skip', slots: [now - LATE_AFTER_MS - 1] })).toEqual(['missed']);
  });

  it('knows no latest slot while more are to come', () => {
    expect(fates({ isCutOff: true })).toEqual(['missed', 'missed', 'missed']);
  });

  it('misses every slot of a paused schedule', () => {
    expect(fates({ isPaused: true, catchUp: 'all' })).toEqual(['missed', 'missed', 'missed']);
  });
});
