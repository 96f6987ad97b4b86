import { MAX_NANO_USD, type NanoUsd } from './money.ts';
import { priceCall, type TokenPrice } from './price.ts';
import { NO_USAGE } from './usage.ts';

/** From this age on a price list is doubted: vendors change prices several times a year. */
export const PRICE_LIST_DAYS = 90;

/** A month is thirty nights wherever something is reckoned by the month. */
export const DAYS_PER_MONTH = 30;

const DAY_MS = 86_400_000;

/** Whole days from a day, as `YYYY-MM-DD`, to a moment; never below 0. */
export function daysSince(day: string, now: number): number {
  return Math.max(0, Math.floor((now - Date.parse(`${day}T00:00:00Z`)) / DAY_MS));
}

/** So many requests of one size. */
export interface RequestMix {
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/**
 * What so many requests cost where none is found in a cache: each call is rounded up on its own, as calls are booked.
 * Undefined where that is more than an amount can be, 9 million dollars.
 */
export function mixCost(price: TokenPrice, { requests, inputTokens, outputTokens }: RequestMix): NanoUsd | undefined {
  const cost = requests * priceCall(price, { ...NO_USAGE, inputTokens, outputTokens });
  return cost > MAX_NANO_USD ? undefined : cost;
}
