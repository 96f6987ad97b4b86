import type { Usage } from '../money/usage.ts';
import type { PoolLimits } from './pool-limits.ts';

/** What one call asks of its pool. */
export interface QuotaNeed {
  readonly pool: string;
  readonly limits: PoolLimits;
  /** What the provider will likely count; corrected when its own count is there. */
  readonly inputTokens: number;
  /** The output cap: providers reserve it and give back what the reply did not use. */
  readonly outputTokens: number;
  /** Milliseconds by which the provider's day begins before midnight UTC; default 0. */
  readonly dayOffsetMs?: number;
}

/**
 * What each dimension of a call turned out to be, as a share of what was taken for it: 1 as taken, 0.4 gives 60 % back,
 * 1.2 takes more.
 */
export interface QuotaUse {
  readonly requests: number;
  readonly tokens: number;
  readonly input: number;
  readonly output: number;
}

/** Nobody knows, or the provider refused it: what was taken stays taken. */
export const AS_TAKEN: QuotaUse = { requests: 1, tokens: 1, input: 1, output: 1 };
/** The request never left. */
export const UNUSED: QuotaUse = { requests: 0, tokens: 0, input: 0, output: 0 };

/**
 * A provider's count can be this many times of what was taken: with the fewest bytes to a token it is four times what we
 * expect at first. A larger one is a mistake, which must not stop the pool for days.
 */
const MAX_USED = 4;

/** What a call has used by the provider's count. A dimension that nothing was taken for stays as taken. */
export function quotaUse(need: QuotaNeed, usage: Usage): QuotaUse {
  const share = (used: number, taken: number) => (taken === 0 ? 1 : Math.min(used / taken, MAX_USED));
  return {
    requests: 1,
    tokens: share(usage.inputTokens + usage.outputTokens, need.inputTokens + need.outputTokens),
    input: share(usage.inputTokens, need.inputTokens),
    output: share(usage.outputTokens, need.outputTokens),
  };
}
