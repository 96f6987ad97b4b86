import { describe, expect, it } from 'vitest';
import { calendarDay, monthOfDay, zoneOffsetMs } from '../../src/ledger/period.ts';

const at = (iso: string) => Date.parse(iso);

describe('calendarDay()', () => {
  it.each([
    ['2026-01-01T00:00:00Z', 'UTC', '2026-01-01'],
    ['2026-01-01T00:00:00Z', 'America/New_York', '2025-12-31'],
    ['2026-06-30T22:00:00Z', 'Europe/Berlin', '2026-07-01'],
    ['2026-06-30T21:59:59Z', 'Europe/Berlin', '2026-06-30'],
    ['2026-01-01T18:30:00Z', 'Asia/Kolkata', '2026-01-02'],
    ['2026-03-29T00:59:59Z', 'Europe/Berlin', '2026-03-29'],
    ['2026-10-25T22:59:59Z', 'Europe/Berlin', '2026-10-25'],
    ['2026-10-25T23:00:00Z', 'Europe/Berlin', '2026-10-26'],
  ])('%s in %s is %s', (iso, timezone, day) => {
    expect(calendarDay(at(iso), timezone)).toBe(day);
  });

  it('changes with the minute and not with what was asked before', () => {
    const midnight = at('2026-05-05T00:00:00Z');
    const days = [midnight - 1, midnight, midnight - 1].map((moment) => calendarDay(moment, 'UTC'));
    expect(days).toEqual(['2026-05-04', '2026-05-05', '2026-05-04']);
  });
});

describe('monthOfDay()', () => {
  it('cuts the day off', () => {
    expect(monthOfDay('2026-12-31')).toBe('2026-12');
  });
});

it('a zone is ahead of UTC by its offset of the moment, summer time included', () => {
  const hours = (iso: string, zone: string) => zoneOffsetMs(Date.parse(iso), zone) / 3_600_000;
  expect(hours('2026-01-15T12:00:00Z', 'America/Los_Angeles')).toBe(-8);
  expect(hours('2026-07-15T12:00:00Z', 'America/Los_Angeles')).toBe(-7);
  expect(hours('2026-07-15T12:00:00Z', 'Asia/Kolkata')).toBe(5.5);
  expect(hours('2026-07-15T12:00:00Z', 'UTC')).toBe(0);
});
