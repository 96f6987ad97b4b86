import type { AskVariant } from '../prompts/ask-variant.ts';
import type { Judgement, RejectionCode } from '../prompts/question.ts';
import type { Tier } from '../workflows/workflow.ts';

export interface Attempt<T> {
  readonly tier: number;
  readonly variant: AskVariant;
  readonly judgement: Judgement<T>;
}

export type CascadeStep<T> =
  | { readonly kind: 'ask'; readonly tier: number; readonly variant: AskVariant }
  | { readonly kind: 'accept'; readonly tier: number; readonly value: T; readonly confidence: number }
  | { readonly kind: 'fail'; readonly code: RejectionCode; readonly detail: string };

/** A repair turn cannot mend these; of all others the model is told what was wrong. */
const NOT_REPAIRABLE: ReadonlySet<RejectionCode> = new Set(['low_confidence', 'truncated', 'refused']);

/**
 * What the cascade does next, from what happened so far. Per tier at most: the question, once more with a raised cap
 * if it was cut off, and one repair turn if a check says what to do better; then the next tier. A refusal is not asked again.
 *
 * @param tiers the tiers that this question may use, with their index in the workflow's cascade
 * @param attempts in order; the last one decides
 */
export function nextCascadeStep<T>(
  tiers: readonly { readonly index: number; readonly tier: Tier }[],
  attempts: readonly Attempt<T>[],
): CascadeStep<T> {
  const last = attempts.at(-1);
  if (last === undefined) {
    const first = tiers[0];
    if (first === undefined) throw new RangeError('A cascade needs at least one tier');
    return { kind: 'ask', tier: first.index, variant: 'first' };
  }
  const { judgement } = last;
  const at = tiers.findIndex(({ index }) => index === last.tier);
  const threshold = tiers[at]?.tier.acceptAt;
  if (judgement.kind === 'answer' && (threshold === undefined || judgement.confidence >= threshold)) {
    return { kind: 'accept', tier: last.tier, value: judgement.value, confidence: judgement.confidence };
  }
  const { code, detail } =
    judgement.kind === 'rejected' ? judgement : lowConfidence(judgement.confidence, threshold ?? 1);
  const tried = new Set(attempts.filter((attempt) => attempt.tier === last.tier).map((attempt) => attempt.variant));
  if (code === 'truncated' && !tried.has('raised_cap')) return { kind: 'ask', tier: last.tier, variant: 'raised_cap' };
  if (!NOT_REPAIRABLE.has(code) && !tried.has('repair')) return { kind: 'ask', tier: last.tier, variant: 'repair' };
  const next = tiers[at + 1];
  return next === undefined ? { kind: 'fail', code, detail } : { kind: 'ask', tier: next.index, variant: 'first' };
}

function lowConfidence(confidence: number, threshold: number): { code: RejectionCode; detail: string } {
  return {
    code: 'low_confidence',
    detail: `the confidence ${confidence.toFixed(3)} is under the last tier's acceptAt ${threshold}`,
  };
}
