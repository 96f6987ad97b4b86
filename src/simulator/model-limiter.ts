import type { LimitManners, RateLimits } from './options.ts';
import { FixedWindow, TokenBucket } from './token-bucket.ts';

export type LimitDimension = 'requests' | 'tokens' | 'inputTokens' | 'outputTokens' | 'concurrency';

export type Admission =
  | { readonly admitted: true }
  | { readonly admitted: false; readonly dimension: LimitDimension; readonly retryAfterMs: number };

/** Tokens of a call as far as they are known at admission. */
export interface TokenEstimate {
  readonly inputTokens: number;
  readonly maxOutputTokens: number;
}

/** When a place among the calls at the same time gets free is unknown. */
const CONCURRENCY_RETRY_MS = 100;

const HEADER_NAMES: Readonly<Record<string, string>> = {
  requests: 'requests',
  tokens: 'tokens',
  inputTokens: 'input-tokens',
  outputTokens: 'output-tokens',
};

/** The quota of one model: a call passes in every dimension or in none. */
export class ModelLimiter {
  readonly #buckets: readonly {
    readonly dimension: Exclude<LimitDimension, 'concurrency'>;
    readonly bucket: TokenBucket | FixedWindow;
  }[];
  readonly #maxConcurrency: number;
  readonly #manners: LimitManners;
  #inFlight = 0;

  constructor(limits: RateLimits, manners: LimitManners = {}) {
    this.#manners = manners;
    const bucketOf = (limit: number) => (manners.window === 'minute' ? new FixedWindow(limit) : new TokenBucket(limit));
    const all = [
      { dimension: 'requests', limit: limits.requestsPerMinute },
      { dimension: 'tokens', limit: limits.tokensPerMinute },
      { dimension: 'inputTokens', limit: limits.inputTokensPerMinute },
      { dimension: 'outputTokens', limit: limits.outputTokensPerMinute },
    ] as const;
    this.#buckets = all.flatMap(({ dimension, limit }) =>
      limit === undefined ? [] : [{ dimension, bucket: bucketOf(limit) }],
    );
    this.#maxConcurrency = limits.concurrency ?? Number.POSITIVE_INFINITY;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** @param nowMs milliseconds that only grow */
  admit(estimate: TokenEstimate, nowMs: number): Admission {
    if (this.#inFlight >= this.#maxConcurrency) {
      return { admitted: false, dimension: 'concurrency', retryAfterMs: CONCURRENCY_RETRY_MS };
    }
    let longest: { dimension: LimitDimension; waitMs: number } | undefined;
    for (const { dimension, bucket } of this.#buckets) {
      const waitMs = bucket.waitMs(amountOf(dimension, estimate), nowMs);
      if (waitMs > (longest?.waitMs ?? 0)) longest = { dimension, waitMs };
    }
    if (longest !== undefined) {
      if (this.#manners.refusalsCount === true) {
        for (const { dimension, bucket } of this.#buckets) bucket.takeRefused(amountOf(dimension, estimate), nowMs);
      }
      return { admitted: false, dimension: longest.dimension, retryAfterMs: Math.ceil(longest.waitMs) };
    }
    for (const { dimension, bucket } of this.#buckets) bucket.take(amountOf(dimension, estimate), nowMs);
    this.#inFlight += 1;
    return { admitted: true };
  }

  /** Ends an admitted call: frees its place and gives back the output tokens that it reserved and did not use. */
  finish(unusedOutputTokens: number, nowMs: number): void {
    this.#inFlight -= 1;
    for (const { dimension, bucket } of this.#buckets) {
      if (dimension === 'tokens' || dimension === 'outputTokens') bucket.take(-unusedOutputTokens, nowMs);
    }
  }

  /** `x-ratelimit-limit-…`, `-remaining-…` and `-reset-…` for each limited dimension, as far as its manners tell. */
  headers(nowMs: number): Readonly<Record<string, string>> {
    const headers: Record<string, string> = {};
    const { headers: told = 'all' } = this.#manners;
    if (told === 'none') return headers;
    for (const { dimension, bucket } of this.#buckets) {
      const name = HEADER_NAMES[dimension];
      headers[`x-ratelimit-limit-${name}`] = String(bucket.limitPerMinute);
      headers[`x-ratelimit-remaining-${name}`] = String(bucket.available(nowMs));
      if (told === 'all') headers[`x-ratelimit-reset-${name}`] = formatDuration(bucket.msUntilFull(nowMs));
    }
    return headers;
  }
}

/** The provider's way to write a duration: `0s`, `6ms`, `1.2s`, `6m0s`. */
export function formatDuration(durationMs: number): string {
  const wholeMs = Math.ceil(durationMs);
  if (wholeMs === 0) return '0s';
  if (wholeMs < 1000) return `${wholeMs}ms`;
  const minutes = Math.floor(wholeMs / 60_000);
  const seconds = (wholeMs - minutes * 60_000) / 1000;
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds}s`;
}

function amountOf(dimension: LimitDimension, estimate: TokenEstimate): number {
  switch (dimension) {
    case 'tokens':
      return estimate.inputTokens + estimate.maxOutputTokens;
    case 'inputTokens':
      return estimate.inputTokens;
    case 'outputTokens':
      return estimate.maxOutputTokens;
    default:
      return 1;
  }
}
