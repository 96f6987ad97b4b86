import type { NanoUsd } from './money.ts';
import type { Usage } from './usage.ts';

/** Rates are whole nano-dollars per million tokens: 0.15 USD per million is 150,000,000. */
export interface TokenRates {
  readonly inputPerMillion: NanoUsd;
  /** For input tokens that the provider found in its prompt cache; equal to `inputPerMillion` without a discount. */
  readonly cachedInputPerMillion: NanoUsd;
  readonly outputPerMillion: NanoUsd;
  /** For input tokens that the provider stored in its prompt cache, in place of the input rate; absent: the same. */
  readonly cacheWritePerMillion?: NanoUsd;
  /** For reasoning tokens, in place of the output rate; absent: the same. */
  readonly reasoningPerMillion?: NanoUsd;
}

/** Rates for a call with more input tokens than a bound. */
export interface LongContextRates extends TokenRates {
  readonly aboveInputTokens: number;
}

/** What one model costs. */
export interface TokenPrice extends TokenRates {
  /**
   * The whole call, output included, is billed at the rates of the highest bound that its input exceeds, cached tokens
   * counted. So do OpenAI (272,000 tokens; https://developers.openai.com/api/docs/pricing), Google (200,000;
   * https://ai.google.dev/gemini-api/docs/pricing) and, for the models that have it, Anthropic (200,000;
   * https://platform.claude.com/docs/en/about-claude/pricing#long-context-pricing).
   */
  readonly longContext?: readonly LongContextRates[];
  /** What is paid of these rates, in thousandths: 500 for batch or flex service at half the price. Absent: 1000. */
  readonly paidPerMille?: number;
  /** The provider names what each call has cost, and that is booked; the rates give the hold. Absent: the rates are booked. */
  readonly isStated?: boolean;
  /** Held on top for each call of a model that may bill beyond its output cap. Absent: nothing, until it has done so. */
  readonly maxOverrun?: NanoUsd;
}

const TOKENS_PER_RATE = 1_000_000;
const MILLE = 1000;
const DIVISOR = TOKENS_PER_RATE * MILLE;

/**
 * What a call costs, rounded up once to a whole nano-dollar, so that a sum of prices is never below the provider's.
 *
 * @param usage whole token counts; `inputTokens` includes the cached ones, `outputTokens` the reasoning ones
 * @throws {RangeError} a rate or a token count is not a whole number
 */
export function priceCall(price: TokenPrice, usage: Usage): NanoUsd {
  const rates = ratesFor(price, usage.inputTokens);
  // Servers are known to report more cached tokens than input tokens; that must not lower the price below zero.
  const cached = Math.min(usage.cachedInputTokens, usage.inputTokens);
  const written = Math.min(usage.cacheWriteTokens ?? 0, usage.inputTokens - cached);
  const reasoning = Math.min(usage.reasoningTokens, usage.outputTokens);
  return payable(price, [
    [usage.inputTokens - cached - written, rates.inputPerMillion],
    [cached, rates.cachedInputPerMillion],
    [written, rates.cacheWritePerMillion ?? rates.inputPerMillion],
    [usage.outputTokens - reasoning, rates.outputPerMillion],
    [reasoning, rates.reasoningPerMillion ?? rates.outputPerMillion],
  ]);
}

/**
 * The most that a call can cost: every token at the dearest rate of its kind, in every long-context tier that the
 * input may reach.
 *
 * @param inputTokens the most that the provider can count, cached ones included
 * @param outputTokens the most that it can generate, reasoning included
 * @param writeTokens how much of the input the provider may store in its prompt cache; default: all of it
 */
export function priceBound(
  price: TokenPrice,
  inputTokens: number,
  outputTokens: number,
  writeTokens: number = inputTokens,
): NanoUsd {
  const written = Math.min(writeTokens, inputTokens);
  const reachable = (price.longContext ?? []).filter((tier) => inputTokens > tier.aboveInputTokens);
  const bounds = [price, ...reachable].map((rates) => {
    const { inputPerMillion: input, outputPerMillion: output } = rates;
    const read = Math.max(input, rates.cachedInputPerMillion);
    return payable(price, [
      [inputTokens - written, read],
      [written, Math.max(read, rates.cacheWritePerMillion ?? input)],
      [outputTokens, Math.max(output, rates.reasoningPerMillion ?? output)],
    ]);
  });
  return Math.max(...bounds);
}

function ratesFor(price: TokenPrice, inputTokens: number): TokenRates {
  let rates: TokenRates = price;
  let bound = -1;
  for (const tier of price.longContext ?? []) {
    if (inputTokens > tier.aboveInputTokens && tier.aboveInputTokens > bound) {
      rates = tier;
      bound = tier.aboveInputTokens;
    }
  }
  return rates;
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** Exact and rounded up. Sums beyond what a number can hold, and what is no count, are left to big integers. */
function payable(price: TokenPrice, parts: readonly (readonly [tokens: number, perMillion: NanoUsd])[]): NanoUsd {
  const perMille = price.paidPerMille ?? MILLE;
  let full = 0;
  for (const [tokens, perMillion] of parts) {
    full += isCount(tokens) && isCount(perMillion) ? tokens * perMillion : Number.NaN;
  }
  const scaled = full * perMille;
  if (isCount(perMille) && isCount(scaled) && isCount(full)) {
    const rest = scaled % DIVISOR;
    return (scaled - rest) / DIVISOR + (rest === 0 ? 0 : 1);
  }
  const exact = parts.reduce((sum, [tokens, perMillion]) => sum + BigInt(tokens) * BigInt(perMillion), 0n);
  const divisor = BigInt(DIVISOR);
  return Number((exact * BigInt(perMille) + divisor - 1n) / divisor);
}
