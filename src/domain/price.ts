import type { NanoUsd } from './money.ts';
import type { Usage } from './usage.ts';

/** What one model costs. Rates are whole nano-dollars per million tokens: 0.15 USD per million is 150,000,000. */
export interface TokenPrice {
  readonly inputPerMillion: NanoUsd;
  /** For input tokens that the provider found in its prompt cache; equal to `inputPerMillion` without a discount. */
  readonly cachedInputPerMillion: NanoUsd;
  readonly outputPerMillion: NanoUsd;
}

const TOKENS_PER_RATE = 1_000_000n;

/**
 * What a call costs, rounded up once to a whole nano-dollar, so that a sum of prices is never below the provider's.
 *
 * @param usage whole token counts; `inputTokens` includes the cached ones, `outputTokens` the reasoning ones
 * @throws {RangeError} a rate or a token count is not a whole number
 */
export function priceCall(price: TokenPrice, usage: Usage): NanoUsd {
  // Servers are known to report more cached tokens than input tokens; that must not lower the price below zero.
  const cached = Math.min(usage.cachedInputTokens, usage.inputTokens);
  const exact =
    BigInt(usage.inputTokens - cached) * BigInt(price.inputPerMillion) +
    BigInt(cached) * BigInt(price.cachedInputPerMillion) +
    BigInt(usage.outputTokens) * BigInt(price.outputPerMillion);
  return Number((exact + TOKENS_PER_RATE - 1n) / TOKENS_PER_RATE);
}
