import type { PoolLimits } from '../ledger/pool-limits.ts';

const MINUTES_PER_DAY = 1440;

/** What calls ask of a quota together. */
export interface QuotaAmount {
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** The least minutes in which a quota lets so much through, were it not used by anything else. */
export function quotaMinutes({ calls, inputTokens, outputTokens }: QuotaAmount, limits: PoolLimits): number {
  const tokens = inputTokens + outputTokens;
  return Math.max(
    perMinute(calls, limits.requestsPerMinute),
    perMinute(tokens, limits.tokensPerMinute),
    perMinute(inputTokens, limits.inputTokensPerMinute),
    perMinute(outputTokens, limits.outputTokensPerMinute),
    perDay(calls, limits.requestsPerDay),
    perDay(tokens, limits.tokensPerDay),
  );
}

function perMinute(amount: number, limit = Number.POSITIVE_INFINITY): number {
  return amount / limit;
}

/** A day's quota is there at once; what is more than that waits for the next days. */
function perDay(amount: number, limit = Number.POSITIVE_INFINITY): number {
  return Math.max(0, Math.ceil(amount / limit) - 1) * MINUTES_PER_DAY;
}
