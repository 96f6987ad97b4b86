import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { usdToNano } from '../../src/money/money.ts';
import { priceBound, priceCall, type TokenPrice, type TokenRates } from '../../src/money/price.ts';
import { NO_USAGE, type Usage } from '../../src/money/usage.ts';
import { holdFor } from '../../src/requests/estimate.ts';

const price: TokenPrice = {
  inputPerMillion: usdToNano(0.15),
  cachedInputPerMillion: usdToNano(0.075),
  outputPerMillion: usdToNano(0.6),
};

/** As OpenAI's models with long-context rates; whole nano-dollars per token, so that sums are exact. */
const tiered: TokenPrice = {
  inputPerMillion: usdToNano(2),
  cachedInputPerMillion: usdToNano(0.2),
  cacheWritePerMillion: usdToNano(2.5),
  outputPerMillion: usdToNano(10),
  longContext: [
    {
      aboveInputTokens: 272_000,
      inputPerMillion: usdToNano(4),
      cachedInputPerMillion: usdToNano(0.4),
      cacheWritePerMillion: usdToNano(5),
      outputPerMillion: usdToNano(15),
    },
  ],
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
    expect(priceCall(tiered, NO_USAGE)).toBe(0);
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

  it('priceCall() bills a call at its long-context rates as a whole, from one token above the bound', () => {
    const usage = { ...NO_USAGE, cachedInputTokens: 100_000, outputTokens: 500 };
    expect(priceCall(tiered, { ...usage, inputTokens: 272_000 })).toBe(172_000 * 2000 + 100_000 * 200 + 500 * 10_000);
    expect(priceCall(tiered, { ...usage, inputTokens: 272_001 })).toBe(172_001 * 4000 + 100_000 * 400 + 500 * 15_000);
  });

  it('priceCall() takes the highest bound that the input exceeds, in whatever order the bounds stand', () => {
    const rates = (usd: number): TokenRates => ({
      inputPerMillion: usdToNano(usd),
      cachedInputPerMillion: usdToNano(usd),
      outputPerMillion: 0,
    });
    const bounds = [
      { aboveInputTokens: 200, ...rates(3) },
      { aboveInputTokens: 100, ...rates(2) },
    ];
    for (const longContext of [bounds, bounds.toReversed()]) {
      const costs = [100, 101, 200, 201].map((inputTokens) =>
        priceCall({ ...rates(1), longContext }, { ...NO_USAGE, inputTokens }),
      );
      expect(costs).toEqual([100 * 1000, 101 * 2000, 200 * 2000, 201 * 3000]);
    }
  });

  it('priceCall() bills tokens written to the cache at their own rate, and at the input rate without one', () => {
    const usage = { ...NO_USAGE, inputTokens: 3000, cachedInputTokens: 1000, cacheWriteTokens: 1500 };
    expect(priceCall(tiered, usage)).toBe(500 * 2000 + 1000 * 200 + 1500 * 2500);
    expect(priceCall(price, usage)).toBe(2000 * 150 + 1000 * 75);
  });

  it('priceCall() bills reasoning tokens at their own rate in place of the output rate', () => {
    const usage = { ...NO_USAGE, outputTokens: 100, reasoningTokens: 70 };
    expect(priceCall({ ...price, reasoningPerMillion: usdToNano(0.3) }, usage)).toBe(30 * 600 + 70 * 300);
    expect(priceCall(price, usage)).toBe(100 * 600);
  });

  it('priceCall() applies a discount to the exact sum and rounds up once', () => {
    const half = { ...price, paidPerMille: 500 };
    expect(priceCall(half, { ...NO_USAGE, inputTokens: 1000, outputTokens: 50 })).toBe((1000 * 150 + 50 * 600) / 2);
    const odd = {
      inputPerMillion: 1_000_000,
      cachedInputPerMillion: 0,
      outputPerMillion: 1_000_000,
      paidPerMille: 333,
    };
    // 3 x 0.333 = 0.999 -> 1; rounding each part up first would give 2.
    expect(priceCall(odd, { ...NO_USAGE, inputTokens: 2, outputTokens: 1 })).toBe(1);
    expect(priceCall(odd, { ...NO_USAGE, inputTokens: 4 })).toBe(2);
  });

  it('priceCall() refuses a part of a token', () => {
    expect(() => priceCall(price, { ...NO_USAGE, inputTokens: 1.5 })).toThrow(RangeError);
  });
});

const rate = fc.integer({ min: 0, max: usdToNano(200) });
const rates = fc.record(
  {
    inputPerMillion: rate,
    cachedInputPerMillion: rate,
    outputPerMillion: rate,
    cacheWritePerMillion: rate,
    reasoningPerMillion: rate,
  },
  { requiredKeys: ['inputPerMillion', 'cachedInputPerMillion', 'outputPerMillion'] },
);
const MAX_TOKENS = 1_000_000;
const anyPrice: fc.Arbitrary<TokenPrice> = fc
  .tuple(
    rates,
    fc.array(fc.tuple(fc.integer({ min: 1, max: MAX_TOKENS }), rates), { maxLength: 3 }),
    fc.integer({ min: 1, max: 1000 }),
  )
  .map(([base, tiers, paidPerMille]) => ({
    ...base,
    paidPerMille,
    longContext: tiers.map(([aboveInputTokens, tier]) => ({ aboveInputTokens, ...tier })),
  }));
const tokens = fc.integer({ min: 0, max: MAX_TOKENS });
/** Usage as servers may report it, cached and reasoning tokens beyond their totals included. */
const anyUsage: fc.Arbitrary<Usage> = fc.record(
  {
    inputTokens: tokens,
    cachedInputTokens: tokens,
    outputTokens: tokens,
    reasoningTokens: tokens,
    cacheWriteTokens: tokens,
  },
  { requiredKeys: ['inputTokens', 'cachedInputTokens', 'outputTokens', 'reasoningTokens'] },
);

describe('priceCall()', () => {
  it('is exact to the nano-dollar, also where the sum is beyond what a number can hold', () => {
    fc.assert(
      fc.property(anyPrice, fc.nat(MAX_TOKENS), fc.nat(MAX_TOKENS), (any, inputTokens, outputTokens) => {
        const { inputPerMillion, outputPerMillion, paidPerMille = 1000 } = any;
        const flat = { ...any, longContext: [], reasoningPerMillion: outputPerMillion };
        const full =
          (BigInt(inputTokens) * BigInt(inputPerMillion) + BigInt(outputTokens) * BigInt(outputPerMillion)) *
          BigInt(paidPerMille);
        const exact = (full + 999_999_999n) / 1_000_000_000n;
        expect(priceCall(flat, { ...NO_USAGE, inputTokens, outputTokens })).toBe(Number(exact));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('priceBound()', () => {
  it('priceBound() is never below the price of a call within its token counts', () => {
    fc.assert(
      fc.property(anyPrice, anyUsage, fc.nat(MAX_TOKENS), fc.nat(MAX_TOKENS), (any, usage, moreInput, moreOutput) => {
        const bound = priceBound(any, usage.inputTokens + moreInput, usage.outputTokens + moreOutput);
        expect(priceCall(any, usage)).toBeLessThanOrEqual(bound);
      }),
      { numRuns: 2000 },
    );
  });

  it('priceBound() is met by a call that uses all its tokens at the dearest rates', () => {
    const usage = { ...NO_USAGE, inputTokens: 272_001, cacheWriteTokens: 272_001, outputTokens: 900 };
    expect(priceBound(tiered, 272_001, 900)).toBe(priceCall(tiered, usage));
    expect(priceBound(price, 1000, 50)).toBe(priceCall(price, { ...NO_USAGE, inputTokens: 1000, outputTokens: 50 }));
    expect(priceBound({ ...price, paidPerMille: 500 }, 1000, 50)).toBe((1000 * 150 + 50 * 600) / 2);
  });

  it('priceBound() leaves out long-context rates that the input cannot reach', () => {
    expect(priceBound(tiered, 272_000, 900)).toBe(272_000 * 2500 + 900 * 10_000);
  });

  it('priceBound() keeps the base rates where a long-context tier is cheaper, since the input may be shorter', () => {
    const cheaper = {
      ...price,
      longContext: [{ ...price, aboveInputTokens: 10, inputPerMillion: 0, cachedInputPerMillion: 0 }],
    };
    expect(priceBound(cheaper, 11, 0)).toBe(11 * 150);
  });

  it('priceBound() counts the cached rate where a server charges more for cached tokens', () => {
    expect(priceBound({ ...price, cachedInputPerMillion: usdToNano(1) }, 100, 0)).toBe(100 * 1000);
  });

  it('holdFor() reserves the bound of a call, and nothing for a model without a price', () => {
    const model = {
      name: 'large',
      provider: 'acme',
      pool: 'acme',
      id: 'large-2026-01-01',
      contextTokens: 1_000_000,
      maxOutputTokens: 1000,
      structuredOutput: 'prompt',
      logprobs: false,
    } as const;
    expect(holdFor({ ...model, price: tiered }, 300_000, 1000)).toBe(300_000 * 5000 + 1000 * 15_000);
    expect(holdFor(model, 300_000, 1000)).toBe(0);
  });
});
