import type { Usage } from '../../money/usage.ts';
import { isCount, isRecord } from '../../text/json-value.ts';

/**
 * Normalises a chat-completions `usage` object. Input includes cached tokens and output includes reasoning ones.
 * Missing details count as 0. Undefined where there is no usage, a number is not a count, or the input is 0: every
 * prompt has a token, so such a server does not count, and a call must not be booked as free because of that.
 */
export function parseUsage(raw: unknown): Usage | undefined {
  if (!isRecord(raw)) return undefined;
  const promptDetails = isRecord(raw.prompt_tokens_details) ? raw.prompt_tokens_details : {};
  const completionDetails = isRecord(raw.completion_tokens_details) ? raw.completion_tokens_details : {};
  const inputTokens = raw.prompt_tokens;
  const completionTokens = raw.completion_tokens;
  const totalTokens = raw.total_tokens ?? 0;
  // DeepSeek and Moonshot have fields of their own for cached tokens.
  const cachedInputTokens = promptDetails.cached_tokens ?? raw.prompt_cache_hit_tokens ?? raw.cached_tokens ?? 0;
  const cacheWriteTokens = promptDetails.cache_write_tokens ?? 0;
  const reasoningTokens = completionDetails.reasoning_tokens ?? 0;
  if (!isCount(inputTokens) || !isCount(completionTokens) || !isCount(totalTokens)) return undefined;
  if (!isCount(cachedInputTokens) || !isCount(reasoningTokens)) return undefined;
  if (inputTokens === 0 || cachedInputTokens > inputTokens) return undefined;
  // xAI and Gemini leave reasoning out of `completion_tokens` but not out of the total, and charge it as output.
  const outputTokens = Math.max(completionTokens, totalTokens - inputTokens);
  return {
    inputTokens,
    cachedInputTokens,
    outputTokens,
    reasoningTokens: Math.min(reasoningTokens, outputTokens),
    // Newer models charge for what they store in the cache (OpenAI's price list, gpt-5.6 and later).
    ...(isCount(cacheWriteTokens) && cacheWriteTokens > 0 ? { cacheWriteTokens } : {}),
  };
}
