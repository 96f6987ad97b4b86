import type { LimitDimension } from './model-limiter.ts';
import { ProviderError } from './provider-error.ts';

export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function errorReply(error: ProviderError, headers: Readonly<Record<string, string>> = {}): HttpReply {
  return { status: error.status, headers, body: error.body };
}

/** 429 with `retry-after` in seconds and `retry-after-ms`. */
export function rateLimitedReply(
  model: string,
  dimension: LimitDimension,
  retryAfterMs: number,
  headers: Readonly<Record<string, string>>,
): HttpReply {
  const error = new ProviderError(
    429,
    `Rate limit reached for ${model} on ${dimension}. Please try again in ${retryAfterMs}ms.`,
    {
      type: dimension === 'requests' || dimension === 'concurrency' ? 'requests' : 'tokens',
      code: 'rate_limit_exceeded',
    },
  );
  return errorReply(error, {
    ...headers,
    'retry-after': String(retryAfterMs / 1000),
    'retry-after-ms': String(retryAfterMs),
  });
}
