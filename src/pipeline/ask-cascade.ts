import { type Attempt, nextCascadeStep } from '../domain/cascade.ts';
import type { JournalEntry } from '../domain/journal-entry.ts';
import { buildModelRequest, type Repair } from '../domain/model-request.ts';
import type { Judgement, Question, ReplyText } from '../domain/tasks/task.ts';
import type { Tier } from '../domain/workflow.ts';
import { type CallModelContext, callModel } from './call-model.ts';
import type { SliceRun } from './slice-run.ts';
import { CallFailedError } from './stop.ts';

/** The tiers that call a provider, with their index in the workflow's cascade. */
export type PaidTiers = readonly { readonly index: number; readonly tier: Tier }[];

export interface CascadeAnswer<T> {
  readonly value: T;
  readonly confidence: number;
  readonly tier: number;
  readonly model: string;
  /** Taken under the tier's threshold, because the workflow drains. */
  readonly degraded?: boolean;
}

export interface CascadeContext {
  readonly models: CallModelContext;
  readonly slice: SliceRun;
  /** Position of the document in its slice. */
  readonly document: number;
  readonly tiers: PaidTiers;
  /** Share of the usual window, or of the document, that one part may fill; under 1 after a provider found it too long. */
  readonly windowShare: number;
}

/** Failures of one model that another one may not have. */
const NEXT_TIER_MAY_SUCCEED: ReadonlySet<string> = new Set([
  'server_error',
  'timeout',
  'connection_lost',
  'invalid_reply',
  'bad_request',
  'refused_content',
]);

/**
 * Asks the cascade one question, cheapest tier first.
 *
 * @throws {CallFailedError} no tier gave an acceptable answer; the code says what was wrong with the last one
 */
export async function askCascade<T>(context: CascadeContext, question: Question<T>): Promise<CascadeAnswer<T>> {
  const attempts: Attempt<T>[] = [];
  let last: ReplyText | undefined;
  for (;;) {
    const tiers = usableTiers(context, attempts);
    const step = nextCascadeStep(tiers, attempts);
    if (step.kind === 'fail') throw new CallFailedError(step.code, failureMessage(step.code, step.detail));
    if (step.kind === 'accept') {
      const { value, confidence, tier } = step;
      const threshold = context.tiers.find(({ index }) => index === tier)?.tier.acceptAt;
      const degraded = threshold !== undefined && confidence < threshold;
      return { value, confidence, tier, model: modelAt(context.tiers, tier).name, ...(degraded ? { degraded } : {}) };
    }
    const previous = attempts.at(-1)?.judgement;
    if (previous !== undefined) context.slice.reject(previous.kind === 'rejected' ? previous.code : 'low_confidence');
    const repair =
      step.variant === 'repair' && previous?.kind === 'rejected'
        ? { reply: last?.text ?? '', detail: previous.detail }
        : undefined;
    try {
      const entry = await ask(context, question, step, repair);
      last = entry.reply;
      attempts.push({ tier: step.tier, variant: step.variant, judgement: judge(question, entry.reply) });
    } catch (error) {
      const next = context.tiers[context.tiers.findIndex(({ index }) => index === step.tier) + 1];
      if (!(error instanceof CallFailedError) || next === undefined || !NEXT_TIER_MAY_SUCCEED.has(error.code))
        throw error;
      context.slice.reject(error.code);
      return await askCascade({ ...context, tiers: context.tiers.filter(({ index }) => index > step.tier) }, question);
    }
  }
}

/** While a workflow drains, its last tier is left out and the one before takes what it has. */
function usableTiers(context: CascadeContext, attempts: readonly Attempt<unknown>[]): PaidTiers {
  const { tiers, slice } = context;
  const last = tiers.at(-1);
  if (!slice.draining || tiers.length < 2 || attempts.at(-1)?.tier === last?.index) return tiers;
  return tiers
    .slice(0, -1)
    .map((entry, position) =>
      position === tiers.length - 2 ? { index: entry.index, tier: { model: entry.tier.model } } : entry,
    );
}

async function ask<T>(
  { models, slice, document, tiers }: CascadeContext,
  question: Question<T>,
  step: { tier: number; variant: 'first' | 'raised_cap' | 'repair' },
  repair: Repair | undefined,
): Promise<JournalEntry> {
  const model = modelAt(tiers, step.tier);
  const request = buildModelRequest(model, question.prompt, step.variant, repair);
  return await callModel(models, { slice, document, tier: step.tier, model, request });
}

function judge<T>(question: Question<T>, reply: ReplyText): Judgement<T> {
  if (reply.finish === 'refusal') {
    return { kind: 'rejected', code: 'refused', detail: 'the model declined to answer' };
  }
  const judgement = question.judge(reply);
  // A reply that was cut off may still be whole where it matters; where it is not, the cut is why.
  if (reply.finish === 'length' && judgement.kind === 'rejected') {
    return { kind: 'rejected', code: 'truncated', detail: 'the reply was cut off at its output limit' };
  }
  return judgement;
}

function modelAt(tiers: PaidTiers, index: number): Tier['model'] {
  const found = tiers.find((entry) => entry.index === index);
  if (found === undefined) throw new RangeError(`There is no tier ${index} here`);
  return found.tier.model;
}

function failureMessage(code: string, detail: string): string {
  return `No tier of the cascade gave an acceptable answer; at the last one, ${detail} (${code}).`;
}
