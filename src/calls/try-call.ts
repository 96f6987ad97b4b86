import type { JournalEntry } from '../ledger/journal-entry.ts';
import type { CallTicket, Outcome, QuotaWait } from '../ledger/ledger.ts';
import type { NanoUsd } from '../money/money.ts';
import { priceBound, priceCall } from '../money/price.ts';
import type { Usage } from '../money/usage.ts';
import { ModelCallError } from '../providers/failure.ts';
import type { ModelReply } from '../providers/model-client.ts';
import type { ProviderGate } from '../providers/provider-gate.ts';
import { inputTokenBound } from '../requests/estimate.ts';
import { type ModelSpec, poolOf } from '../workflows/workflow.ts';
import { admitCall, roomInDocument } from './admit-call.ts';
import type { AnswerCache } from './answer-cache.ts';
import { type Booked, bookReply } from './book-reply.ts';
import { type Call, isFallback, type Route } from './call.ts';
import type { CallModelContext } from './call-context.ts';
import type { CallOwner } from './call-owner.ts';
import { measureFailure, measureReply } from './measure-call.ts';
import { StopError } from './stop.ts';

const OVERRUN_MARGIN = 1.25;

/** The quota lets no call in for so long that work on it stops, unless another provider stands in. Nothing was sent. */
export class LongWaitError extends StopError {}

/** Another host lets the call start while it waited in line. Nothing was sent. */
export class ElsewhereError extends Error {}

/** One admission, one request, one settlement. A failure of the call is returned; everything else is thrown. */
export async function tryCall(
  context: CallModelContext,
  call: Call,
  route: Route,
  gate: ProviderGate,
): Promise<JournalEntry | ModelCallError | LongWaitError> {
  const { owner } = call;
  const { model, request } = route;
  owner.throwIfStopped();
  const inputBound = inputTokenBound(request);
  using room =
    owner.documentBudget === undefined
      ? undefined
      : await roomInDocument(context, call, route, owner.documentBudget, inputBound);
  const admitted = await admitCall(context, call, route, gate, inputBound, room?.hold);
  if (admitted.kind === 'replay') return remember(owner, admitted.callKey, admitted.entry);
  if (admitted.kind === 'elsewhere') throw new ElsewhereError();
  if (admitted.kind === 'wait') {
    return new LongWaitError(longWait(model, gate.name, admitted.why, context.clock.now(), admitted.waitMs));
  }
  const { ticket, place } = admitted;
  owner.begin();
  const sentAt = context.clock.monotonic();
  let reply: ModelReply;
  try {
    // When the provider is done with it, another call may be admitted while this one is settled.
    using _ = place;
    reply = await gate.call(request, owner.forced);
  } catch (error) {
    if (!(error instanceof ModelCallError)) {
      await context.ledger.settle(ticket, { kind: 'uncertain', reason: 'internal error' });
      throw error;
    }
    const durationMs = context.clock.monotonic() - sentAt;
    measureFailure(context, call, route, error, { hold: ticket.hold, durationMs });
    await settleFailure(context, call, route, ticket, error);
    return error;
  }
  gate.answered();
  gate.access.worked(model.id, inputBound);
  const booked = bookReply({ model, request, hold: ticket.hold, inputBound, priceOf: context.priceOf }, reply);
  if (booked.usageEstimated !== true) {
    context.ratios.observe(model.name, request, inputBound, booked.usage.inputTokens);
  }
  warnOf(context, call, route, booked);
  if (booked.compared !== undefined) context.prices?.note(model.name, owner.claim.batchId, booked.compared);
  measureReply(context, call, route, reply, booked);
  const entry = await settleReply(context, call, route, ticket, entryOf(call, route, reply, booked));
  noteCall(context, call, route, entry);
  const pool = poolOf(model);
  if (context.pools.looksAtHeaders(pool)) await context.pools.observe(pool, reply.rateLimitHeaders);
  return entry;
}

function longWait(
  model: ModelSpec,
  provider: string,
  why: QuotaWait,
  now: number,
  waitMs: number,
): StopError['reason'] {
  const retryAt = now + waitMs;
  const until = `until ${new Date(retryAt).toISOString()}. Work continues then by itself`;
  const pool = `the pool ${poolOf(model)} (model ${model.name})`;
  const reason =
    why === 'asked'
      ? `The provider has asked calls to ${pool} to wait ${until}.`
      : `The quota of ${pool} is used up ${until}; to continue now, raise ` +
        `${why === 'day' ? 'requestsPerDay or tokensPerDay' : "the pool's limits per minute"} in the config.`;
  return { kind: 'provider', provider, hold: { cause: 'provider', reason, since: now, retry: true, retryAt } };
}

async function settleReply(
  context: CallModelContext,
  { owner }: Call,
  route: Route,
  ticket: CallTicket,
  entry: JournalEntry,
): Promise<JournalEntry> {
  if (entry.cost > ticket.hold && route.model.price !== undefined) {
    context.log.warn('ledger:overrun', {
      batch: owner.claim.batchId,
      model: route.model.name,
      heldNanoUsd: ticket.hold,
      costNanoUsd: entry.cost,
    });
  }
  const settlement = await context.ledger.settle(ticket, {
    kind: 'reply',
    entry,
    beyondCap: beyondCap(route, entry.usage),
  });
  if (settlement.kind === 'fenced') return owner.stopAndThrow({ kind: 'fenced' });
  if (context.cache !== undefined && entry.reply.text !== '')
    await keepAnswer(context.cache, context.log, ticket, entry);
  if (settlement.kind === 'duplicate') return remember(owner, settlement.callKey, settlement.entry);
  return remember(owner, ticket.callKey, entry);
}

/** The cache saves money another day; a store that cannot take the answer now costs nothing. */
async function keepAnswer(
  cache: AnswerCache,
  log: CallModelContext['log'],
  { callKey, claim }: CallTicket,
  entry: JournalEntry,
): Promise<void> {
  try {
    await cache.put(callKey, entry, claim.batchId);
  } catch (error) {
    log.warn('cache:failed', { message: (error as Error).message });
  }
}

async function settleFailure(
  context: CallModelContext,
  call: Call,
  route: Route,
  ticket: CallTicket,
  error: ModelCallError,
): Promise<void> {
  if (error.billing === 'billed' && error.usage !== undefined) {
    // Paid for and of no use: it is journalled under a key of its own, so that its cost stays with the document.
    const entry = failedEntry(call, route, error.usage);
    await settleReply(context, call, route, { ...ticket, callKey: `${route.key}!${ticket.callId}` }, entry);
    return;
  }
  // A model that is known to cost nothing leaves no money in doubt.
  const isFree = route.model.price !== undefined && ticket.hold === 0;
  const outcome: Outcome =
    error.billing === 'none' || isFree
      ? { kind: 'released', refused: error.failure === 'rate_limited' }
      : { kind: 'uncertain', reason: error.failure, requestId: error.requestId };
  const settlement = await context.ledger.settle(ticket, outcome);
  if (settlement.kind === 'fenced') call.owner.stop({ kind: 'fenced' });
  if (outcome.kind === 'uncertain') call.owner.documentBudget?.book(call.document, ticket.hold);
}

function remember(owner: CallOwner, key: string, entry: JournalEntry): JournalEntry {
  if (!owner.journal.has(key)) owner.documentBudget?.book(entry.document, entry.cost);
  owner.journal.set(key, entry);
  return entry;
}

function warnOf({ log }: CallModelContext, { owner }: Call, { model }: Route, { warnings, servedBy }: Booked): void {
  for (const warning of warnings) {
    log.warn('call:odd', { batch: owner.claim.batchId, model: model.name, warning, servedBy });
  }
}

/** A record of each call, for those who ask for it; ids and numbers only. */
function noteCall({ log }: CallModelContext, { owner, document }: Call, { model }: Route, entry: JournalEntry): void {
  log.debug('call:answered', {
    batch: owner.claim.batchId,
    slice: owner.claim.slice,
    document,
    provider: model.provider,
    model: entry.model,
    tier: entry.tier,
    requestId: entry.requestId,
    inputTokens: entry.usage.inputTokens,
    outputTokens: entry.usage.outputTokens,
    costNanoUsd: entry.cost,
    durationMs: entry.durationMs,
    firstByteMs: entry.firstByteMs,
  });
}

function entryOf(
  call: Call,
  route: Route,
  reply: ModelReply,
  { cost, usage, usageEstimated, isStated, servedBy, warnings }: Booked,
): JournalEntry {
  return {
    ...entryBase(call, route, usage),
    cost,
    reply: {
      text: reply.text,
      finish: reply.finish,
      ...(reply.logprobs === undefined
        ? {}
        : {
            tokens: reply.logprobs.map(({ token, logprob, bytes }) => ({
              token,
              logprob,
              ...(bytes === undefined ? {} : { bytes }),
            })),
          }),
    },
    durationMs: Math.round(reply.durationMs),
    ...(reply.firstByteMs === undefined ? {} : { firstByteMs: Math.round(reply.firstByteMs) }),
    ...(usageEstimated === true ? { usageEstimated } : {}),
    ...(isStated === true ? { isStated } : {}),
    ...(servedBy === undefined ? {} : { servedBy }),
    ...(reply.model === undefined ? {} : { servedId: reply.model }),
    ...(reply.fingerprint === undefined ? {} : { fingerprint: reply.fingerprint }),
    ...(reply.requestId === undefined ? {} : { requestId: reply.requestId }),
    ...(warnings.length === 0 ? {} : { warnings }),
  };
}

/** What the output beyond the cap of its request has cost, with room for a longer thought the next time. */
function beyondCap({ model, request }: Route, usage: Usage): NanoUsd {
  const tokens = usage.outputTokens - request.maxOutputTokens;
  if (tokens <= 0 || model.price === undefined) return 0;
  const beyond =
    priceBound(model.price, usage.inputTokens, Math.ceil(tokens * OVERRUN_MARGIN)) -
    priceBound(model.price, usage.inputTokens, 0);
  return Math.max(0, beyond - (model.price.maxOverrun ?? 0));
}

function failedEntry(call: Call, route: Route, usage: Usage): JournalEntry {
  const { price } = route.model;
  const cost = price === undefined ? 0 : priceCall(price, usage);
  return { ...entryBase(call, route, usage), cost, reply: { text: '', finish: 'other' }, durationMs: 0 };
}

function entryBase(call: Call, route: Route, usage: Usage) {
  const { document, tier } = call;
  const { model } = route;
  return {
    document,
    model: model.name,
    tier,
    usage,
    ...(isFallback(call, route) ? { fallback: true } : {}),
  };
}
