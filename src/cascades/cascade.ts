import type { AskVariant } from '../prompts/ask-variant.ts';
import type { AnswerWarning, Judgement, RejectionCode } from '../prompts/question.ts';
import { leastConfidence, type Tier } from '../workflows/workflow.ts';

export interface Attempt<T> {
  readonly tier: number;
  readonly variant: AskVariant;
  /** `failed`: the call had no reply, and another tier may have one. */
  readonly judgement: Judgement<T> | { readonly kind: 'failed' };
  /** Of an answer that has one: a tier's threshold may depend on it. */
  readonly label?: string | undefined;
}

export type CascadeStep<T> =
  | { readonly kind: 'ask'; readonly tier: number; readonly variant: AskVariant }
  | {
      readonly kind: 'accept';
      readonly tier: number;
      readonly value: T;
      readonly confidence?: number;
      readonly warnings: readonly AnswerWarning[];
      /** Which attempt it comes from. */
      readonly attempt: number;
    }
  | { readonly kind: 'fail'; readonly code: RejectionCode; readonly detail: string }
  /** The last tier's call has failed; its error says why. */
  | { readonly kind: 'fail_with_call' };

/** A repair turn cannot fix these; of all others the model is told what was wrong. */
const NOT_REPAIRABLE: ReadonlySet<RejectionCode> = new Set(['low_confidence', 'truncated', 'refused']);

/**
 * What the cascade does next, from what happened so far. Per tier at most: the question, once more with a raised cap
 * if it was cut off, and one repair turn if a check says what to do better; then the next tier. A refusal is not asked again.
 * Where no tier is left, a doubtful answer that was paid for is kept with a warning.
 *
 * @param tiers the tiers that this question may use, with their index in the workflow's cascade
 * @param attempts in order; the last one decides
 * @param isAudited the last tier is asked even where another one's answer is good; should it fail, that answer is taken
 */
export function nextCascadeStep<T>(
  tiers: readonly { readonly index: number; readonly tier: Tier }[],
  attempts: readonly Attempt<T>[],
  isAudited = false,
): CascadeStep<T> {
  const last = attempts.at(-1);
  if (last === undefined) {
    const first = tiers[0];
    if (first === undefined) throw new RangeError('A cascade needs at least one tier');
    return { kind: 'ask', tier: first.index, variant: 'first' };
  }
  const { judgement } = last;
  const at = tiers.findIndex(({ index }) => index === last.tier);
  const threshold = leastConfidence(tiers[at]?.tier ?? {}, last.label);
  const next = tiers[at + 1];
  if (judgement.kind === 'failed') {
    if (next !== undefined) return { kind: 'ask', tier: next.index, variant: 'first' };
    return auditedAnswer(attempts, isAudited) ?? keptAnswer(attempts) ?? { kind: 'fail_with_call' };
  }
  if (judgement.kind === 'answer' && reaches(judgement.confidence, threshold)) {
    const strongest = tiers.at(-1);
    if (isAudited && strongest !== undefined && strongest.index !== last.tier) {
      return { kind: 'ask', tier: strongest.index, variant: 'first' };
    }
    const { value, confidence, warnings = [] } = judgement;
    const known = confidence === undefined ? {} : { confidence };
    return { kind: 'accept', tier: last.tier, value, ...known, warnings, attempt: attempts.length - 1 };
  }
  const { code, detail } =
    judgement.kind === 'rejected' ? judgement : lowConfidence(judgement.confidence, threshold ?? 1);
  const tried = new Set(attempts.filter((attempt) => attempt.tier === last.tier).map((attempt) => attempt.variant));
  if (code === 'truncated' && !tried.has('raised_cap')) return { kind: 'ask', tier: last.tier, variant: 'raised_cap' };
  if (!NOT_REPAIRABLE.has(code) && !tried.has('repair')) return { kind: 'ask', tier: last.tier, variant: 'repair' };
  if (next !== undefined) return { kind: 'ask', tier: next.index, variant: 'first' };
  return auditedAnswer(attempts, isAudited) ?? keptAnswer(attempts) ?? { kind: 'fail', code, detail };
}

/** The answer that was good enough, of a document that went to the last tier as a sample. */
function auditedAnswer<T>(attempts: readonly Attempt<T>[], isAudited: boolean): CascadeStep<T> | undefined {
  const attempt = isAudited ? attempts.findLastIndex(({ judgement }) => judgement.kind === 'answer') : -1;
  const found = attempts[attempt];
  if (found?.judgement.kind !== 'answer') return undefined;
  const { value, confidence, warnings = [] } = found.judgement;
  const known = confidence === undefined ? {} : { confidence };
  return { kind: 'accept', tier: found.tier, value, ...known, warnings, attempt };
}

/** What was answered last, sure enough or not: where a document may not cost more, it is kept. */
export function answerSoFar<T>(attempts: readonly Attempt<T>[]): (CascadeStep<T> & { kind: 'accept' }) | undefined {
  const attempt = attempts.findLastIndex(({ judgement }) => judgement.kind === 'answer');
  const found = attempts[attempt];
  if (found?.judgement.kind !== 'answer') return keptAnswer(attempts);
  const { value, confidence, warnings = [] } = found.judgement;
  return {
    kind: 'accept',
    tier: found.tier,
    value,
    ...(confidence === undefined ? {} : { confidence }),
    warnings,
    attempt,
  };
}

/** The last answer that is good but for a doubt. */
function keptAnswer<T>(attempts: readonly Attempt<T>[]): (CascadeStep<T> & { kind: 'accept' }) | undefined {
  const attempt = attempts.findLastIndex(
    ({ judgement }) => judgement.kind === 'rejected' && judgement.kept !== undefined,
  );
  const found = attempts[attempt];
  if (found?.judgement.kind !== 'rejected' || found.judgement.kept === undefined) return undefined;
  const { value, warnings } = found.judgement.kept;
  return { kind: 'accept', tier: found.tier, value, warnings, attempt };
}

/** An unknown confidence reaches no threshold. */
export function reaches(confidence: number | undefined, threshold: number | undefined): boolean {
  return threshold === undefined || (confidence !== undefined && confidence >= threshold);
}

function lowConfidence(confidence: number | undefined, threshold: number): { code: RejectionCode; detail: string } {
  const what =
    confidence === undefined
      ? 'the reply states no confidence that can be read, and'
      : `the confidence ${confidence.toFixed(3)} is under`;
  const limit = `the last tier's acceptAt ${threshold}`;
  return {
    code: 'low_confidence',
    detail: confidence === undefined ? `${what} ${limit} asks for one` : `${what} ${limit}`,
  };
}
