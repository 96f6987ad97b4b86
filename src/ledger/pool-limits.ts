/**
 * One provider quota, shared by the whole cluster; absent: no limit in that dimension. Tokens are the provider's count:
 * input includes cached tokens, output includes reasoning.
 */
export interface PoolLimits {
  readonly requestsPerMinute?: number;
  /** Input and output together. */
  readonly tokensPerMinute?: number;
  readonly inputTokensPerMinute?: number;
  readonly outputTokensPerMinute?: number;
  readonly requestsPerDay?: number;
  /** Input and output together. */
  readonly tokensPerDay?: number;
  /** IANA name of the zone in which the provider's day begins; absent: UTC. */
  readonly dayTimezone?: string;
  /** Calls in flight in the whole cluster. */
  readonly concurrency?: number;
}
