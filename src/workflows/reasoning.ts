export const REASONING_EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;

export type ReasoningEffort = (typeof REASONING_EFFORTS)[number];

/** How much a model is asked to think before it answers: a level, or at most so many tokens. */
export type ReasoningRequest = { readonly effort: ReasoningEffort } | { readonly budget: number };

/** What the config says about a model's thinking. */
export interface ReasoningSpec {
  /** Absent: it is not told, and thinks as it likes. */
  readonly ask?: ReasoningRequest;
  /** Added to the output cap of every call, because thinking counts towards it. */
  readonly tokens: number;
}

/** The line of the config that helps where thinking has used up the output cap. */
export function reasoningAdvice(model: string, reasoning: ReasoningSpec | undefined): string {
  const setting = `models.${model}.reasoning`;
  if (reasoning === undefined) {
    return `write ${setting}: none, or where it cannot be switched off ${setting}: { effort: low, tokens: 2048 }`;
  }
  if (reasoning.tokens === 0) return `it thinks all the same, so write ${setting}: { effort: low, tokens: 2048 }`;
  return `raise ${setting}.tokens from ${reasoning.tokens} to ${reasoning.tokens * 2}, or write a lower effort`;
}
