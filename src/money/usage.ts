/**
 * Tokens of one call or a sum of calls, normalised across providers:
 * `inputTokens` includes the cached ones, `outputTokens` includes the reasoning ones.
 */
export interface Usage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  /**
   * Input tokens that the provider stored in its cache and charges for, of one call and where it reports them.
   * Only pricing needs them: sums leave them out.
   */
  readonly cacheWriteTokens?: number;
}

export const NO_USAGE: Usage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0 };

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    reasoningTokens: a.reasoningTokens + b.reasoningTokens,
  };
}
