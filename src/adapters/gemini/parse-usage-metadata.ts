import type { Usage } from '../../money/usage.ts';
import { isCount, isRecord } from '../../text/json-value.ts';

/**
 * Normalises `usageMetadata`: the prompt's count includes cached tokens; thinking is beside the candidates' count and
 * tool results are beside the prompt's, and both are charged. A count of 0 is left out of the JSON.
 * Undefined where there is no usage, a number is not a count, nothing tells the output, or the input is 0: every
 * prompt has a token, and a call must not be booked as free.
 */
export function parseUsageMetadata(raw: unknown): Usage | undefined {
  if (!isRecord(raw)) return undefined;
  if (raw.candidatesTokenCount === undefined && raw.totalTokenCount === undefined) return undefined;
  const promptTokens = raw.promptTokenCount;
  const toolTokens = raw.toolUsePromptTokenCount ?? 0;
  const cachedInputTokens = raw.cachedContentTokenCount ?? 0;
  const candidatesTokens = raw.candidatesTokenCount ?? 0;
  const thoughtsTokens = raw.thoughtsTokenCount ?? 0;
  const totalTokens = raw.totalTokenCount ?? 0;
  if (!isCount(promptTokens) || !isCount(toolTokens) || !isCount(cachedInputTokens)) return undefined;
  if (!isCount(candidatesTokens) || !isCount(thoughtsTokens) || !isCount(totalTokens)) return undefined;
  const inputTokens = promptTokens + toolTokens;
  if (inputTokens === 0 || cachedInputTokens > inputTokens) return undefined;
  return {
    inputTokens,
    cachedInputTokens,
    // The total counts everything that is charged, whatever field it is in.
    outputTokens: Math.max(candidatesTokens + thoughtsTokens, totalTokens - inputTokens),
    reasoningTokens: thoughtsTokens,
  };
}
