import { describe, expect, it } from 'vitest';
import { batchIdOfSlot, findCronProblem, nextSlots, slotsBetween } from '../../src/schedules/calendar.ts';
import type { Schedule } from '../../src/schedules/schedule.ts';

const schedule = (cron: string, timezone: string): Schedule => ({
  workflow: 'triage',
  cron,
  timezone,
  input: '/inbox',
  catchUp: 'latest',
  overlap: 'queue',
  after: 'keep',
});
const iso = (slots: readonly number[]) => slots.map((slot) => new Date(slot).toISOString());

describe('nextSlots()', () => {
  it.each([
    ['30 2 * * *', 'Europe/Berlin', '2027-03-27T12:00Z', ['2027-03-28T01:00:00.000Z', '2027-03-29T00:30:00.000Z']],
    ['30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00Z', ['2026-10-25T00:30:00.000Z', '2026-10-26T01:30:00.000Z']],
    ['30 1 * * *', 'America/New_York', '2026-10-31T12:00Z', ['2026-11-01T05:30:00.000Z', '2026-11-02T06:30:00.000Z']],
    ['0 0 * * *', 'Africa/Cairo', '2026-04-23T12:00Z', ['2026-04-23T22:00:00.000Z', '2026-04-24T21:00:00.000Z']],
    [
      '15 2 * * *',
      'Australia/Lord_Howe',
      '2026-10-03T00:00Z',
      ['2026-10-03T15:30:00.000Z', '2026-10-04T15:15:00.000Z'],
    ],
  ])('%s in %s has one slot a night where clocks are changed', (cron, timezone, from, expected) => {
    expect(iso(nextSlots(schedule(cron, timezone), Date.parse(from), 2))).toEqual(expected);
  });
});

describe('slotsBetween()', () => {
  it('leaves out the beginning, has the end, and stops at the most', () => {
    const hourly = schedule('0 * * * *', 'UTC');
    const at = (time: string) => Date.parse(`2026-11-29T${time}Z`);
    expect(iso(slotsBetween(hourly, at('01:00'), at('03:00'), 10))).toEqual([
      '2026-11-29T02:00:00.000Z',
      '2026-11-29T03:00:00.000Z',
    ]);
    expect(slotsBetween(hourly, at('01:00'), at('09:00'), 3)).toHaveLength(3);
    expect(slotsBetween(hourly, at('01:00'), at('01:59'), 3)).toEqual([]);
  });
});

describe('batchIdOfSlot()', () => {
  it('names the minute by the wall clock of the zone', () => {
    const slot = Date.parse('2027-01-31T00:00Z');
    expect(batchIdOfSlot(schedule('0 1 * * *', 'Europe/Berlin'), slot)).toBe('triage-20270131T0100');
    expect(batchIdOfSlot(schedule('0 1 * * *', 'America/New_York'), slot)).toBe('triage-20270130T1900');
  });

  it.each([
    ['Europe/Berlin', '2026-10-24T22:00Z', 6],
    ['Australia/Lord_Howe', '2027-04-03T13:00Z', 5],
    ['Africa/Cairo', '2026-10-29T19:00Z', 5],
  ])('gives no two slots of the hour that comes twice in %s the same id', (timezone, from, hours) => {
    const halves = schedule('*/15 * * * *', timezone);
    const start = Date.parse(from);
    const slots = slotsBetween(halves, start, start + hours * 3_600_000, 100);
    expect(slots).toHaveLength(hours * 4);
    const ids = slots.map((slot) => batchIdOfSlot(halves, slot));
    expect(new Set(ids).size).toBe(slots.length);
    expect(ids.some((id) => id.endsWith('-2'))).toBe(true);
  });
});

describe('findCronProblem()', () => {
  it.each(['0 1 * * *', '*/5 1-3 * * MON-FRI', '@daily'])('takes %s', (cron) => {
    expect(findCronProblem(cron)).toBeUndefined();
  });

  it.each(['0 1 * * * *', '61 1 * * *', 'hello', '0 0 30 2 *', ''])('refuses "%s"', (cron) => {
    expect(findCronProblem(cron)).toMatch(/\S/);
  });
});
