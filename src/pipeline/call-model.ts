import { countRequestTokens, holdFor, inputTokenBound } from '../domain/estimate.ts';
import { FAILURE_RULES, ModelCallError } from '../domain/failure.ts';
import type { JournalEntry } from '../domain/journal-entry.ts';
import { callKey, type ModelRequest } from '../domain/model-request.ts';
import { priceCall } from '../domain/price.ts';
import { scopesOf } from '../domain/scope.ts';
import { countTokens } from '../domain/tokens.ts';
import { NO_USAGE, type Usage } from '../domain/usage.ts';
import type { ModelSpec } from '../domain/workflow.ts';
import type { AnswerCache } from '../ports/answer-cache.ts';
import type { Clock } from '../ports/clock.ts';
import type { CallTicket, Ledger, Outcome } from '../ports/ledger.ts';
import type { Log } from '../ports/log.ts';
import type { ModelReply } from '../ports/model-client.ts';
import { admitCall } from './admit-call.ts';
import { backoffMs, sleep } from './backoff.ts';
import type { InputRatios } from './input-ratios.ts';
import type { ProviderGate } from './provider-gate.ts';
import type { SliceRun } from './slice-run.ts';
import { CallFailedError, DocumentEndedError, StopError } from './stop.ts';

export interface CallModelContext {
  readonly ledger: Ledger;
  readonly providers: ReadonlyMap<string, ProviderGate>;
  readonly clock: Clock;
  /** Absent where the workflow does not ask for it. */
  readonly cache?: AnswerCache;
  /** What is known of the models' own token counts. */
  readonly ratios: InputRatios;
  /** 0 to 1, for jitter. */
  readonly random: () => number;
  readonly newId: () => string;
  readonly log: Log;
  /** Tries of one call that fails for a passing reason. */
  readonly maxAttempts: number;
}

export interface ModelCall {
  readonly slice: SliceRun;
  /** Position of the document in its slice. */
  readonly document: number;
  readonly tier: number;
  readonly model: ModelSpec;
  readonly request: ModelRequest;
}

/** Waits that a provider asks for do not count as attempts, but they end some time. */
const MAX_WAITS = 200;

/**
 * One reply to one request, bought at most once: from the journal if it was paid for before, else from the provider,
 * with money held before the request leaves and settled together with the journal entry when the reply is there.
 *
 * This is the one owner of retries; each try passes admission again.
 *
 * @throws {StopError} the slice must stop; {DocumentEndedError} no new calls; {CallFailedError} this call cannot succeed
 */
export async function callModel(context: CallModelContext, call: ModelCall): Promise<JournalEntry> {
  const { slice } = call;
  const key = callKey(call.model.provider, call.request);
  const known = slice.journal.get(key);
  if (known !== undefined) return known;
  const pending = slice.pending.get(key);
  if (pending !== undefined) return await pending;
  const reply = buy(context, call, key).finally(() => slice.pending.delete(key));
  slice.pending.set(key, reply);
  return await reply;
}

async function buy(context: CallModelContext, call: ModelCall, key: string): Promise<JournalEntry> {
  const { slice, model } = call;
  const cached = await context.cache?.get(key);
  if (cached !== undefined) {
    slice.cached.calls += 1;
    slice.cached.saved += cached.cost;
    return cached;
  }
  if (slice.ending !== undefined) throw new DocumentEndedError(slice.ending);
  const gate = context.providers.get(model.provider);
  if (gate === undefined) {
    throw new CallFailedError(
      'provider_unknown',
      `This worker's config has no provider ${JSON.stringify(model.provider)}`,
    );
  }
  const hold = holdFor(model, inputTokenBound(call.request), call.request.maxOutputTokens);
  for (let attempt = 1, waits = 0; ; ) {
    if (gate.waitMs > 0) await sleep(gate.waitMs, slice.stopping);
    slice.throwIfStopped();
    const result = await gate.run(urgency(call), () => tryOnce(context, { ...call, key, hold, gate }));
    if (!(result instanceof ModelCallError)) return result;
    const retry = decideRetry(result, gate, { attempt, waits, maxAttempts: context.maxAttempts }, context);
    if (retry.kind === 'stop') {
      slice.stop(retry.reason);
      throw new StopError(retry.reason);
    }
    if (retry.kind === 'fail') throw new CallFailedError(result.failure, result.message, { cause: result });
    context.log.info('call:retry', {
      batch: slice.claim.batchId,
      slice: slice.claim.slice,
      provider: gate.name,
      model: model.name,
      failure: result.failure,
      status: result.status,
      requestId: result.requestId,
      attempt,
      delayMs: Math.round(retry.delayMs),
    });
    if (result.failure === 'rate_limited') waits += 1;
    else attempt += 1;
    await sleep(retry.delayMs, slice.stopping);
  }
}

/** Earlier slices and documents that are already at a dearer tier come first, so that slices end one after the other. */
function urgency({ slice, tier }: ModelCall): number {
  return tier - slice.claim.slice * 8;
}

interface Try extends ModelCall {
  readonly key: string;
  readonly hold: number;
  readonly gate: ProviderGate;
}

/** One admission, one request, one settlement. A failure of the call is returned; everything else is thrown. */
async function tryOnce(context: CallModelContext, call: Try): Promise<JournalEntry | ModelCallError> {
  const { slice, model } = call;
  slice.throwIfStopped();
  const ticket: CallTicket = {
    claim: slice.claim,
    callId: context.newId(),
    callKey: call.key,
    model: model.name,
    hold: call.hold,
    scopes: scopesOf(slice.claim, context.clock.now(), slice.claim.timezones),
  };
  const replay = await admitCall(context.ledger, ticket, slice, () => {
    const tokens = context.ratios.likelyBound(model.name, call.request);
    return tokens === undefined ? undefined : holdFor(model, tokens, call.request.maxOutputTokens);
  });
  if (replay !== undefined) return remember(slice, call.key, replay);
  let reply: ModelReply;
  try {
    reply = await call.gate.client.call(call.request, slice.forced);
  } catch (error) {
    if (!(error instanceof ModelCallError)) {
      await context.ledger.settle(ticket, { kind: 'uncertain', reason: 'internal error' });
      throw error;
    }
    await settleFailure(context, call, ticket, error);
    return error;
  }
  call.gate.answered();
  if (reply.usage !== undefined) context.ratios.observe(model.name, call.request, reply.usage.inputTokens);
  return await settleReply(context, call, ticket, entryOf(call, reply));
}

async function settleReply(
  context: CallModelContext,
  call: Try,
  ticket: CallTicket,
  entry: JournalEntry,
): Promise<JournalEntry> {
  const { slice } = call;
  if (entry.cost > call.hold && call.model.price !== undefined) {
    context.log.warn('ledger:overrun', {
      batch: slice.claim.batchId,
      model: call.model.name,
      heldNanoUsd: ticket.hold,
      costNanoUsd: entry.cost,
    });
  }
  const settlement = await context.ledger.settle(ticket, { kind: 'reply', entry });
  if (settlement.kind === 'fenced') {
    slice.stop({ kind: 'fenced' });
    throw new StopError({ kind: 'fenced' });
  }
  if (entry.reply.text !== '') await keepAnswer(context, ticket.callKey, entry);
  return remember(slice, ticket.callKey, settlement.kind === 'duplicate' ? settlement.entry : entry);
}

/** The cache saves money another day; a store that cannot take the answer now costs nothing. */
async function keepAnswer({ cache, log }: CallModelContext, key: string, entry: JournalEntry): Promise<void> {
  try {
    await cache?.put(key, entry);
  } catch (error) {
    log.warn('cache:failed', { message: (error as Error).message });
  }
}

async function settleFailure(
  context: CallModelContext,
  call: Try,
  ticket: CallTicket,
  error: ModelCallError,
): Promise<void> {
  if (error.billing === 'billed' && error.usage !== undefined) {
    // Paid for and of no use: it is journalled under a key of its own, so that its cost stays with the document.
    const entry = failedEntry(call, error.usage);
    await settleReply(context, call, { ...ticket, callKey: `${call.key}!${ticket.callId}` }, entry);
    return;
  }
  const outcome: Outcome =
    error.billing === 'none' ? { kind: 'released' } : { kind: 'uncertain', reason: error.failure };
  const settlement = await context.ledger.settle(ticket, outcome);
  if (settlement.kind === 'fenced') call.slice.stop({ kind: 'fenced' });
}

function remember(slice: SliceRun, key: string, entry: JournalEntry): JournalEntry {
  slice.journal.set(key, entry);
  return entry;
}

function entryOf(call: Try, reply: ModelReply): JournalEntry {
  const usage = reply.usage ?? estimateUsage(call.request, reply.text);
  return {
    document: call.document,
    model: call.model.name,
    tier: call.tier,
    reply: {
      text: reply.text,
      finish: reply.finish,
      ...(reply.logprobs === undefined
        ? {}
        : { tokens: reply.logprobs.map(({ token, logprob }) => ({ token, logprob })) }),
    },
    usage,
    cost: call.model.price === undefined ? 0 : priceCall(call.model.price, usage),
    durationMs: Math.round(reply.durationMs),
    ...(reply.usage === undefined ? { usageEstimated: true } : {}),
  };
}

function failedEntry(call: Try, usage: Usage): JournalEntry {
  return {
    document: call.document,
    model: call.model.name,
    tier: call.tier,
    reply: { text: '', finish: 'other' },
    usage,
    cost: call.model.price === undefined ? 0 : priceCall(call.model.price, usage),
    durationMs: 0,
  };
}

function estimateUsage(request: ModelRequest, text: string): Usage {
  return { ...NO_USAGE, inputTokens: countRequestTokens(request), outputTokens: countTokens(text) };
}

type RetryDecision =
  | { readonly kind: 'retry'; readonly delayMs: number }
  | { readonly kind: 'fail' }
  | { readonly kind: 'stop'; readonly reason: StopError['reason'] };

/** What a failure of one try means for the call, by the table of failure classes. */
function decideRetry(
  error: ModelCallError,
  gate: ProviderGate,
  tries: { attempt: number; waits: number; maxAttempts: number },
  { clock, random }: CallModelContext,
): RetryDecision {
  const rule = FAILURE_RULES[error.failure];
  // A wrong model name or URL fails every document alike; documents are not to blame.
  const needsPerson = rule.pausesProvider || error.status === 404;
  const stop = (): RetryDecision => ({
    kind: 'stop',
    reason: {
      kind: 'provider',
      provider: gate.name,
      hold: { cause: 'provider', reason: error.message, since: clock.now(), retry: !needsPerson },
    },
  });
  if (error.failure === 'aborted') return { kind: 'stop', reason: { kind: 'shutdown' } };
  if (needsPerson) return stop();
  if (rule.retry === 'never') {
    gate.answered();
    return { kind: 'fail' };
  }
  if (rule.retry === 'after_wait') {
    const delayMs = error.retryAfterMs ?? backoffMs(tries.waits + 1, random);
    gate.askedToWait(delayMs);
    return tries.waits >= MAX_WAITS ? stop() : { kind: 'retry', delayMs: delayMs * (1 + random() * 0.25) };
  }
  if (gate.failed()) return stop();
  // Out of reach is the provider's state, not this call's: patience decides, not a count of tries.
  if (error.failure !== 'unreachable' && tries.attempt >= tries.maxAttempts) return { kind: 'fail' };
  return { kind: 'retry', delayMs: Math.max(error.retryAfterMs ?? 0, backoffMs(tries.attempt, random)) };
}
