import { setImmediate } from 'node:timers/promises';
import type { Route } from '../calls/call.ts';
import type { CallModelContext } from '../calls/call-context.ts';
import { callModel } from '../calls/call-model.ts';
import type { CallOwner } from '../calls/call-owner.ts';
import { CallFailedError } from '../calls/stop.ts';
import type { JournalEntry } from '../ledger/journal-entry.ts';
import type { Judgement, Prompt, Question, ReplyText } from '../prompts/question.ts';
import type { DocumentRedactors } from '../redaction/document-redactors.ts';
import { reasoningAdvice } from '../workflows/reasoning.ts';
import { hostsOf, leastConfidence, modelsOfTier, type Tier } from '../workflows/workflow.ts';
import { ACCEPTED, type AttemptLog, AUDITED } from './attempt-log.ts';
import { type Attempt, answerSoFar, type CascadeStep, nextCascadeStep, reaches } from './cascade.ts';
import { type PreparedRoute, prepareRoutes, type RejectedReply } from './cascade-routes.ts';
import type { PaidTiers } from './cascade-stages.ts';

export interface CascadeAnswer<T> {
  readonly value: T;
  /** 0 to 1; absent: unknown. */
  readonly confidence?: number;
  readonly tier: number;
  readonly model: string;
  /** Taken under the tier's threshold, because the workflow drains. */
  readonly degraded?: boolean;
}

export interface CascadeContext {
  readonly models: CallModelContext;
  readonly owner: CallOwner;
  /** Position of the document in its slice. */
  readonly document: number;
  readonly tiers: PaidTiers;
  /** A tier after these takes what they pass on. */
  readonly passesOn?: boolean;
  /** Hide the document's values from providers that must not see them. */
  readonly redactors: DocumentRedactors;
  /** Share of the usual window, or of the document, that one part may fill; under 1 after a provider found it too long. */
  readonly windowShare: number;
  /** A refusal that may be about length is taken for one; see `Call`. Absent: no. */
  readonly mayCut?: boolean;
  /** The last tier is asked as well, as a sample of what the others answer. Absent: no. */
  readonly isAudited?: boolean;
  /** Told how each tier ended. */
  readonly attempts?: AttemptLog;
}

/** Characters from which on a reply is judged in a turn of its own. */
const LONG_PROMPT = 20_000;

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
  const models: string[] = [];
  let last: Reply | undefined;
  let failure: CallFailedError | undefined;
  for (;;) {
    const tiers = usableTiers(context, attempts);
    const step = nextCascadeStep(tiers, attempts, context.isAudited);
    const previous = attempts.at(-1);
    const isTaken = step.kind === 'accept' && step.attempt === attempts.length - 1;
    if (last !== undefined && previous !== undefined && previous.judgement.kind !== 'failed' && !isTaken) {
      context.owner.countRejection(reasonOf(tiers, previous), paidFor(last, context.owner));
    }
    if (previous !== undefined && (step.kind !== 'ask' || step.tier !== previous.tier)) {
      noteAttempt(context, question, previous, models.at(-1) ?? '', isTaken, failure);
    }
    if (step.kind === 'fail_with_call') throw failure ?? new RangeError('A failed attempt has an error');
    if (step.kind === 'fail') throw new CallFailedError(step.code, failureMessage(step.code, step.detail));
    if (step.kind === 'accept') {
      context.attempts?.warn(step.warnings);
      return acceptedAnswer(context.tiers, step, models[step.attempt] ?? '', attempts[step.attempt]);
    }
    const rejected =
      step.variant === 'repair' && previous?.judgement.kind === 'rejected' && last !== undefined
        ? { ...last, detail: previous.judgement.detail, isFormOnly: previous.judgement.isFormOnly === true }
        : undefined;
    const tier = tierAt(tiers, step.tier);
    const asked = modelsOfTier(tier);
    const [model] = asked;
    const preparing = prepareRoutes(asked, question.prompt, context.redactors, step.variant, rejected);
    const prepared = preparing instanceof Promise ? await preparing : preparing;
    try {
      const answered = await ask(context, step.tier, tier, prepared);
      last = answered.last;
      if (isLong(question.prompt)) await setImmediate();
      const judgement = judge(question, answered);
      attempts.push({ tier: step.tier, variant: step.variant, judgement, label: labelIn(question, judgement) });
      models.push(last.model);
    } catch (error) {
      if (!(error instanceof CallFailedError)) throw error;
      failure = error;
      const kept = error.code === 'document_budget' ? answerSoFar(attempts) : undefined;
      if (kept !== undefined) {
        context.attempts?.warn([...kept.warnings, 'document_budget']);
        return acceptedAnswer(context.tiers, kept, models[kept.attempt] ?? '', attempts[kept.attempt]);
      }
      const isLast = context.tiers.at(-1)?.index === step.tier;
      const hasKept = attempts.some(({ judgement }) => judgement.kind === 'rejected' && judgement.kept !== undefined);
      const isSampled = context.isAudited === true && attempts.some(({ judgement }) => judgement.kind === 'answer');
      const goesOn =
        NEXT_TIER_MAY_SUCCEED.has(error.code) && (!isLast || hasKept || isSampled || context.passesOn === true);
      attempts.push({ tier: step.tier, variant: step.variant, judgement: { kind: 'failed' } });
      models.push(model.name);
      if (!goesOn) {
        noteAttempt(context, question, attempts.at(-1), model.name, false, failure);
        throw error;
      }
      context.owner.countRejection(error.code, paidFailures(prepared, context.owner));
    }
  }
}

function acceptedAnswer<T>(
  tiers: PaidTiers,
  { value, confidence, tier }: CascadeStep<T> & { readonly kind: 'accept' },
  model: string,
  attempt: Attempt<T> | undefined,
): CascadeAnswer<T> {
  const least = leastConfidence(tierAt(tiers, tier), attempt?.label);
  const degraded = attempt?.judgement.kind === 'answer' && !reaches(confidence, least);
  return {
    value,
    ...(confidence === undefined ? {} : { confidence }),
    tier,
    model,
    ...(degraded ? { degraded } : {}),
  };
}

function reasonOf(tiers: PaidTiers, { tier, judgement, label }: Attempt<unknown>): string {
  if (judgement.kind === 'rejected') return judgement.code;
  const confidence = judgement.kind === 'answer' ? judgement.confidence : undefined;
  return reaches(confidence, leastConfidence(tierAt(tiers, tier), label)) ? AUDITED : 'low_confidence';
}

function labelIn<T>({ labelOf }: Question<T>, judgement: Judgement<T>): string | undefined {
  return judgement.kind === 'answer' ? labelOf?.(judgement.value) : undefined;
}

function noteAttempt<T>(
  { attempts, tiers }: CascadeContext,
  { labelOf }: Question<T>,
  attempt: Attempt<T> | undefined,
  model: string,
  isTaken: boolean,
  failure: CallFailedError | undefined,
): void {
  if (attempt === undefined) return;
  const { tier, judgement } = attempt;
  if (judgement.kind === 'failed') {
    attempts?.note({ tier, model, reason: failure?.code ?? 'failed' });
    return;
  }
  const value = judgement.kind === 'answer' ? judgement.value : judgement.kept?.value;
  const label = value === undefined ? undefined : labelOf?.(value);
  const confidence = judgement.kind === 'answer' && labelOf !== undefined ? judgement.confidence : undefined;
  attempts?.note({
    tier,
    model,
    ...(label === undefined ? {} : { label }),
    ...(confidence === undefined ? {} : { confidence }),
    reason: isTaken ? ACCEPTED : reasonOf(tiers, attempt),
  });
}

/** While a workflow drains, its last tier is left out and the one before takes what it has. */
function usableTiers(context: CascadeContext, attempts: readonly Attempt<unknown>[]): PaidTiers {
  const { tiers, owner, passesOn } = context;
  const last = tiers.at(-1);
  if (!owner.draining || tiers.length < 2 || attempts.at(-1)?.tier === last?.index) return tiers;
  return tiers
    .slice(0, -1)
    .map((entry, position) =>
      position === tiers.length - 2 && passesOn !== true
        ? { index: entry.index, tier: withoutThreshold(entry.tier) }
        : entry,
    );
}

function withoutThreshold({ acceptAt: _, acceptAtByLabel: __, ...tier }: Tier): Tier {
  return tier;
}

/** A reply, and the entry that it was paid with. */
interface Reply extends Omit<RejectedReply, 'detail' | 'isFormOnly'> {
  readonly entry: JournalEntry;
  readonly routes: readonly Route[];
}

interface Answered {
  readonly last: Reply;
  readonly reply: ReplyText;
  readonly unknown: readonly string[];
}

async function ask(
  { models, owner, document, mayCut = false }: CascadeContext,
  index: number,
  tier: Tier,
  prepared: readonly [PreparedRoute, ...PreparedRoute[]],
): Promise<Answered> {
  const [first, ...others] = prepared;
  const entry = await callModel(models, {
    owner,
    document,
    tier: index,
    routes: [first.route, ...others.map(({ route }) => route)],
    mayCut,
    ...(tier.standsInLocally === true ? { standsInLocally: true } : {}),
    ...(tier.spread === undefined ? {} : { spread: { hosts: hostsOf(tier).length, by: tier.spread } }),
  });
  // The journal and the cache keep what the provider sent; the document's values come back only here.
  const by = prepared.find(({ route }) => route.model.name === entry.model) ?? first;
  const { reply, unknown } = by.restore(entry.reply);
  const routes = prepared.map(({ route }) => route);
  const last = { model: entry.model, raw: entry.reply.text, restored: reply.text, entry, routes };
  const logprobsAsked = by.route.request.logprobs === true;
  return { last, reply: logprobsAsked ? { ...reply, logprobsAsked } : reply, unknown };
}

/** Judging a reply to a long text takes a while: replies that come together must not keep the process from its locks. */
function isLong({ messages }: Prompt): boolean {
  return messages.reduce((sum, { content }) => sum + content.length, 0) > LONG_PROMPT;
}

function judge<T>(question: Question<T>, { last, reply, unknown }: Answered): Judgement<T> {
  if (reply.finish === 'refusal' && question.takesRefusals !== true) {
    return { kind: 'rejected', code: 'refused', detail: 'the model declined to answer' };
  }
  const judgement = question.judge(reply);
  // A reply that was cut off may still be whole where it matters; where it is not, the cut is why.
  if (reply.finish === 'length' && judgement.kind === 'rejected') {
    const { kept } = judgement;
    return { kind: 'rejected', code: 'truncated', detail: describeCut(last), ...(kept === undefined ? {} : { kept }) };
  }
  // Before the checks of the text, to which it is a name and a number like others.
  if (unknown.length > 0) {
    return {
      kind: 'rejected',
      code: 'placeholder_unknown',
      detail: 'the reply has a placeholder in brackets that the document does not have; copy them exactly',
    };
  }
  return judgement;
}

/** A reply that thinking has left no room for is cut off again and again: only the config helps. */
function describeCut({ model: name, entry, routes }: Reply): string {
  const cut = 'the reply was cut off at its output limit';
  const { reasoningTokens } = entry.usage;
  const route = routes.find(({ model }) => model.name === name);
  if (route === undefined || reasoningTokens * 2 < route.request.maxOutputTokens) return cut;
  const used = `${reasoningTokens} of ${route.request.maxOutputTokens} tokens were thinking`;
  return `${cut}; ${used}: ${reasoningAdvice(name, route.model.reasoning)}`;
}

/** The reply, unless it came from the answer cache and cost nothing. */
function paidFor({ entry, routes }: Reply, owner: CallOwner): readonly JournalEntry[] {
  const isPaid = routes.some(({ key }) => owner.journal.get(key) === entry);
  return isPaid ? [entry] : [];
}

/** Replies that were billed and of no use: they are journalled under the call's key with a name of their own. */
function paidFailures(prepared: readonly PreparedRoute[], { journal }: CallOwner): readonly JournalEntry[] {
  const keys = prepared.map(({ route }) => `${route.key}!`);
  return [...journal].filter(([key]) => keys.some((start) => key.startsWith(start))).map(([, entry]) => entry);
}

function tierAt(tiers: PaidTiers, index: number): Tier {
  const found = tiers.find((entry) => entry.index === index);
  if (found === undefined) throw new RangeError(`There is no tier ${index} here`);
  return found.tier;
}

function failureMessage(code: string, detail: string): string {
  return `No tier of the cascade gave an acceptable answer; at the last one, ${detail} (${code}).`;
}
