import type { Usage } from '../../money/usage.ts';
import { isCount, isRecord } from '../../text/json-value.ts';

/**
 * Normalises a message's `usage`, whose `input_tokens` leaves out what was read from and written to the cache.
 * Undefined where there is none, a number is not a count, or the whole input is 0: every prompt has a token, and a
 * call must not be booked as free.
 */
export function parseMessageUsage(raw: unknown): Usage | undefined {
  if (!isRecord(raw)) return undefined;
  const outputDetails = isRecord(raw.output_tokens_details) ? raw.output_tokens_details : {};
  const uncachedTokens = raw.input_tokens;
  const cachedInputTokens = raw.cache_read_input_tokens ?? 0;
  const cacheWriteTokens = raw.cache_creation_input_tokens ?? 0;
  const outputTokens = raw.output_tokens;
  const reasoningTokens = outputDetails.thinking_tokens ?? 0;
  if (!isCount(uncachedTokens) || !isCount(cachedInputTokens) || !isCount(cacheWriteTokens)) return undefined;
  if (!isCount(outputTokens) || !isCount(reasoningTokens)) return undefined;
  const inputTokens = uncachedTokens + cachedInputTokens + cacheWriteTokens;
  if (inputTokens === 0) return undefined;
  return {
    inputTokens,
    cachedInputTokens,
    outputTokens,
    reasoningTokens: Math.min(reasoningTokens, outputTokens),
    ...(cacheWriteTokens > 0 ? { cacheWriteTokens } : {}),
  };
}
