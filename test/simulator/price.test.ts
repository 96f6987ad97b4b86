import { describe, expect, it } from 'vitest';
import { usdToNano } from '../../src/domain/money.ts';
import { priceCall } from '../../src/domain/price.ts';
import { NO_USAGE } from '../../src/domain/usage.ts';

const price = {
  inputPerMillion: usdToNano(0.15),
  cachedInputPerMillion: usdToNano(0.075),
  outputPerMillion: usdToNano(0.6),
};

describe('priceCall()', () => {
  it('priceCall() is exact where the rates are whole nano-dollars per token', () => {
    const usage = { inputTokens: 1000, cachedInputTokens: 400, outputTokens: 50, reasoningTokens: 20 };
    expect(priceCall(price, usage)).toBe(600 * 150 + 400 * 75 + 50 * 600);
  });

  it('priceCall() rounds a part of a nano-dollar up to a whole one, once for the sum', () => {
    const tiny = { inputPerMillion: 1, cachedInputPerMillion: 1, outputPerMillion: 1 };
    expect(priceCall(tiny, { ...NO_USAGE, inputTokens: 1 })).toBe(1);
    expect(priceCall(tiny, { ...NO_USAGE, inputTokens: 400_000, outputTokens: 600_000 })).toBe(1);
    expect(priceCall(tiny, { ...NO_USAGE, inputTokens: 400_000, outputTokens: 600_001 })).toBe(2);
  });

  it('priceCall() of no tokens is zero', () => {
    expect(priceCall(price, NO_USAGE)).toBe(0);
  });

  it('priceCall() is exact where a double is not', () => {
    const dear = { inputPerMillion: usdToNano(75), cachedInputPerMillion: 0, outputPerMillion: 1 };
    // 120,000,013 x 75e9 + 1 is above 2^53; as doubles the last unit is lost and the price is 1 too low.
    expect(priceCall(dear, { ...NO_USAGE, inputTokens: 120_000_013, outputTokens: 1 })).toBe(9_000_000_975_001);
  });

  it('priceCall() charges no less than zero where a server reports more cached tokens than input', () => {
    const usage = { inputTokens: 10, cachedInputTokens: 30, outputTokens: 0, reasoningTokens: 0 };
    expect(priceCall(price, usage)).toBe(10 * 75);
  });
});
