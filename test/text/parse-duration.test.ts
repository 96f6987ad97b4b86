import { expect, test } from 'vitest';
import { parseDuration } from '../../src/text/parse-duration.ts';

test.each([
  ['0s', 0],
  ['31s', 31_000],
  ['6m0s', 360_000],
  ['120ms', 120],
  ['1h2m3.5s', 3_723_500],
  ['2m59.56s', 179_560],
  ['20.223932614s', 20_223.932614],
  ['1s12ms', 1012],
  ['250µs', 0.25],
  ['250us', 0.25],
  ['1000000ns', 1],
])('parseDuration() reads %s as %s ms', (text, expected) => {
  expect(parseDuration(text)).toBeCloseTo(expected, 6);
});

test.each(['', '5', 's', '-5s', '5 s', '5sec', '1e3s', '.5s', '5.s', ' 5s', '5s ', '1h'.repeat(30)])(
  'parseDuration() refuses %j',
  (text) => {
    expect(parseDuration(text)).toBeUndefined();
  },
);
