import type { LimitDimension } from './model-limiter.ts';
import type { LimitManners } from './options.ts';
import { ProviderError } from './provider-error.ts';

export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function errorReply(error: ProviderError, headers: Readonly<Record<string, string>> = {}): HttpReply {
  return { status: error.status, headers, body: error.body };
}

/** 429 with `retry-after` in seconds and `retry-after-ms`, or as the provider's manners have it. */
export function rateLimitedReply(
  model: string,
  dimension: LimitDimension,
  retryAfterMs: number,
  headers: Readonly<Record<string, string>>,
  waits: LimitManners['waits'] = 'exact',
): HttpReply {
  const advice = waits === 'exact' ? `Please try again in ${retryAfterMs}ms.` : 'Please try again later.';
  const error = new ProviderError(429, `Rate limit reached for ${model} on ${dimension}. ${advice}`, {
    type: dimension === 'requests' || dimension === 'concurrency' ? 'requests' : 'tokens',
    code: 'rate_limit_exceeded',
  });
  if (waits === 'none') return errorReply(error, headers);
  if (waits === 'seconds') {
    return errorReply(error, { ...headers, 'retry-after': String(Math.ceil(retryAfterMs / 1000)) });
  }
  return errorReply(error, {
    ...headers,
    'retry-after': String(retryAfterMs / 1000),
    'retry-after-ms': String(retryAfterMs),
  });
}

/** What something on the way, or a server in a bad moment, says of a request that is none the worse for it. */
const BLIPS: readonly HttpReply[] = [
  { status: 401, headers: {}, body: '{"error":{"message":"Unauthorized"}}' },
  { status: 403, headers: { 'content-type': 'text/html' }, body: '<html><body><h1>403 Forbidden</h1></body></html>' },
  { status: 404, headers: {}, body: '{"message":"no Route matched with those values"}' },
  { status: 409, headers: {}, body: '{"error":{"message":"Conflict"}}' },
  { status: 424, headers: {}, body: '{"error":{"message":"Failed Dependency"}}' },
];

/** @param drawn 0 up to but not including 1 */
export function blipReply(drawn: number): HttpReply {
  return BLIPS[Math.floor(drawn * BLIPS.length)] as HttpReply;
}
