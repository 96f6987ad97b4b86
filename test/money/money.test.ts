import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatUsd, MAX_NANO_USD, nanoToDecimal, usdToNano } from '../../src/money/money.ts';

describe('usdToNano()', () => {
  it.each([
    [5, 5_000_000_000],
    [0.15, 150_000_000],
    ['0.000000001', 1],
    [1e-9, 1],
    ['.5', 500_000_000],
    ['7.', 7_000_000_000],
    [' 1.250 ', 1_250_000_000],
    ['9000000', MAX_NANO_USD],
    [0, 0],
  ])('reads %j as %i nano-dollars', (usd, nano) => {
    expect(usdToNano(usd)).toBe(nano);
  });

  it.each(['-1', '1,5', '$5', '', '1e3', 'NaN', 'Infinity', '0.0000000001', '9000000.000000001', '0x10'])(
    'refuses %j with the value seen',
    (usd) => {
      expect(() => usdToNano(usd)).toThrow(RangeError);
      expect(() => usdToNano(usd)).toThrow(usd);
    },
  );

  it('reads back every amount that nanoToDecimal() writes, which never has an exponent', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: MAX_NANO_USD }), (nano) => {
        const text = nanoToDecimal(nano);
        expect(text).toMatch(/^\d+(\.\d{0,8}[1-9])?$/);
        expect(usdToNano(text)).toBe(nano);
      }),
    );
  });
});

describe('formatUsd()', () => {
  it.each([
    [0, '$0.00'],
    [1_234_567_890, '$1.23'],
    [123_000_000, '$0.12'],
    [12_300_000, '$0.012'],
    [1, '$0.000000001'],
    [-2_500_000_000, '-$2.50'],
  ])('writes %i nano-dollars as %s', (nano, text) => {
    expect(formatUsd(nano)).toBe(text);
  });
});
