import { expect, test } from 'vitest';
import { readDeadline } from '../../src/operations/read-deadline.ts';

const NOW = Date.parse('2026-11-22T22:00:00Z');

test.each([
  ['90m', '2026-11-22T23:30:00Z'],
  ['6h', '2026-11-23T04:00:00Z'],
  ['2d', '2026-11-24T22:00:00Z'],
  ['2026-11-23T06:00Z', '2026-11-23T06:00:00Z'],
  ['2026-11-23T06:00:30+01:00', '2026-11-23T05:00:30Z'],
])('readDeadline() reads %s', (text, moment) => {
  expect(readDeadline(text, NOW)).toBe(Date.parse(moment));
});

test('readDeadline() of nothing is nothing', () => {
  expect(readDeadline(undefined, NOW)).toBeUndefined();
});

test.each(['', '6', 'h', '-6h', '1.5h', '6 h', '6w', '2026-11-23', '2026-11-23T06:00', '2026-13-23T06:00Z', '6hh'])(
  'readDeadline() refuses %j and shows what to write',
  (text) => {
    expect(() => readDeadline(text, NOW)).toThrow(/Cannot use .* as a deadline: use a time from now such as 90m/);
  },
);

test.each(['0m', '2026-11-22T21:59:59Z', '2026-11-22T22:00Z'])(
  'readDeadline() refuses %s, which has passed',
  (text) => {
    expect(() => readDeadline(text, NOW)).toThrow(/that time has passed/);
  },
);
