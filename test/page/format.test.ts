import { describe, expect, it } from 'vitest';
import { count, exactUsd, localTime, milliseconds, minutes, percent, usd, utcTime } from '../../src/page/format.ts';

describe('amounts', () => {
  it.each([
    [0, '$0.00'],
    [1234.5, '$1,234.50'],
    [0.5, '$0.50'],
    [0.0123, '$0.0123'],
    [0.0002736, '$0.000274'],
    [0.000000001, '$0.000000001'],
    [-2, '−$2.00'],
  ])('usd(%d) is %s', (amount, text) => expect(usd(amount)).toBe(text));

  it('exactUsd() keeps every unit of the books', () => {
    expect([exactUsd(1234.000000001), exactUsd(2), exactUsd(0.1)]).toEqual(['$1234.000000001', '$2.00', '$0.10']);
  });
});

it('percent() is not 100 before the end nor 0 after the beginning', () => {
  expect([percent(0, 0), percent(0, 9), percent(1, 10_000), percent(9_999, 10_000), percent(5, 5)]).toEqual([
    '–',
    '0 %',
    'under 1 %',
    '99 %',
    '100 %',
  ]);
});

it('minutes() keeps a tenth of them', () => {
  expect([minutes(0), minutes(150), minutes(60_000)]).toEqual(['0 min', '2.5 min', '1,000 min']);
});

it('times are of the reader’s zone, and UTC by its name', () => {
  const at = '2026-11-29T23:30:00.000Z';
  expect(localTime(at, 'Europe/Berlin')).toBe('30 Nov 2026, 00:30');
  expect(utcTime(at)).toBe('2026-11-29 23:30:00 UTC');
  expect(count(1234567)).toBe('1,234,567');
});

it('milliseconds() are seconds from one on, and what is not known is not zero', () => {
  expect([0, 999, 1_000, 61_240, null].map(milliseconds)).toEqual(['0 ms', '999 ms', '1.0 s', '61.2 s', '–']);
});
