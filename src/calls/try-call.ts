import type { JournalEntry } from '../ledger/journal-entry.ts';
import type { CallTicket, Outcome, QuotaWait } from '../ledger/ledger.ts';
import { scopesOf } from '../ledger/scope.ts';
import type { NanoUsd } from '../money/money.ts';
import { priceBound, priceCall } from '../money/price.ts';
import type { Usage } from '../money/usage.ts';
import { ModelCallError } from '../providers/failure.ts';
import type { ModelReply } from '../providers/model-client.ts';
import type { ProviderGate } from '../providers/provider-gate.ts';
import { holdFor, inputTokenBound, writeTokenBound } from '../requests/estimate.ts';
import type { ModelRequest } from '../requests/model-request.ts';
import { type ModelSpec, poolOf } from '../workflows/workflow.ts';
import { admitCall } from './admit-call.ts';
import { type Booked, bookReply } from './book-reply.ts';
import type { CallModelContext } from './call-context.ts';
import type { CallOwner } from './call-owner.ts';
import { StopError } from './stop.ts';

/** One try of one request at one provider. */
export interface CallTry {
  readonly owner: CallOwner;
  /** Position of the document in its slice. */
  readonly document: number;
  readonly tier: number;
  readonly model: ModelSpec;
  readonly request: ModelRequest;
  readonly key: string;
  /** Keys of the same question at the other providers of its tier. */
  readonly otherKeys: readonly string[];
  readonly gate: ProviderGate;
  /** It stands in for the tier's own provider. */
  readonly isFallback: boolean;
}

const OVERRUN_MARGIN = 1.25;

/** The quota lets no call in for so long that work on it stops, unless another provider stands in. Nothing was sent. */
export class LongWaitError extends StopError {}

/** One admission, one request, one settlement. A failure of the call is returned; everything else is thrown. */
export async function tryCall(
  context: CallModelContext,
  call: CallTry,
): Promise<JournalEntry | ModelCallError | LongWaitError> {
  const { owner, model } = call;
  owner.throwIfStopped();
  const bytes = inputTokenBound(call.request);
  const admitted = await admit(context, call, bytes);
  if (admitted.kind === 'replay') return remember(owner, admitted.callKey, admitted.entry);
  if (admitted.kind === 'wait') {
    return new LongWaitError(longWait(model, call.gate.name, admitted.why, context.clock.now(), admitted.waitMs));
  }
  const { ticket, place } = admitted;
  let reply: ModelReply;
  try {
    // The provider is done with it: another call may be admitted while this one is settled.
    reply = await call.gate.call(call.request, owner.forced).finally(() => place[Symbol.dispose]());
  } catch (error) {
    if (!(error instanceof ModelCallError)) {
      await context.ledger.settle(ticket, { kind: 'uncertain', reason: 'internal error' });
      throw error;
    }
    await settleFailure(context, call, ticket, error);
    return error;
  }
  call.gate.answered();
  call.gate.access.worked(model.name);
  const booked = bookReply(
    { model, request: call.request, hold: ticket.hold, inputBound: bytes, priceOf: context.priceOf },
    reply,
  );
  if (booked.usageEstimated !== true) {
    context.ratios.observe(model.name, call.request, bytes, booked.usage.inputTokens);
  }
  warnOf(context, call, booked);
  const entry = await settleReply(context, call, ticket, entryOf(call, reply, booked));
  await context.pools.observe(poolOf(model), reply.rateLimitHeaders);
  return entry;
}

/** @param bytes most input tokens that the request can have */
async function admit(context: CallModelContext, call: CallTry, bytes: number) {
  const { owner, model, request } = call;
  const inputTokens = context.ratios.expected(model.name, bytes);
  const callId = context.newId();
  return await admitCall(context, {
    line: context.pools.line(poolOf(model), call.gate),
    position: {
      group: owner.claim.workflow,
      turn: owner.turn,
      slice: owner.order,
      tier: call.tier,
      cost: inputTokens + request.maxOutputTokens,
    },
    owner,
    hold: holdFor(model, bytes, request.maxOutputTokens, writeTokenBound(request)),
    ticket: (hold) => {
      const quota = context.pools.need(poolOf(model), inputTokens, request.maxOutputTokens);
      return {
        claim: owner.claim,
        callId,
        callKey: call.key,
        ...(call.otherKeys.length === 0 ? {} : { otherKeys: call.otherKeys }),
        model: model.name,
        hold,
        scopes: scopesOf(owner.claim, context.clock.now(), owner.claim.timezones),
        quota,
      };
    },
    likelyHold: () => {
      const tokens = context.ratios.likelyBound(model.name, request);
      return tokens === undefined
        ? undefined
        : holdFor(model, tokens, request.maxOutputTokens, writeTokenBound(request));
    },
  });
}

function longWait(
  model: ModelSpec,
  provider: string,
  why: QuotaWait,
  now: number,
  waitMs: number,
): StopError['reason'] {
  const retryAt = now + waitMs;
  const until = `until ${new Date(retryAt).toISOString()}. Work goes on then by itself`;
  const pool = `the pool ${poolOf(model)} (model ${model.name})`;
  const reason =
    why === 'asked'
      ? `The provider has asked calls to ${pool} to wait ${until}.`
      : `The quota of ${pool} is used up ${until}; to go on now, raise ` +
        `${why === 'day' ? 'requestsPerDay or tokensPerDay' : "the pool's limits a minute"} in the config.`;
  return { kind: 'provider', provider, hold: { cause: 'provider', reason, since: now, retry: true, retryAt } };
}

async function settleReply(
  context: CallModelContext,
  call: CallTry,
  ticket: CallTicket,
  entry: JournalEntry,
): Promise<JournalEntry> {
  const { owner } = call;
  if (entry.cost > ticket.hold && call.model.price !== undefined) {
    context.log.warn('ledger:overrun', {
      batch: owner.claim.batchId,
      model: call.model.name,
      heldNanoUsd: ticket.hold,
      costNanoUsd: entry.cost,
    });
  }
  const settlement = await context.ledger.settle(ticket, {
    kind: 'reply',
    entry,
    beyondCap: beyondCap(call, entry.usage),
  });
  if (settlement.kind === 'fenced') return owner.stopAndThrow({ kind: 'fenced' });
  if (entry.reply.text !== '') await keepAnswer(context, ticket.callKey, entry);
  return remember(owner, ticket.callKey, settlement.kind === 'duplicate' ? settlement.entry : entry);
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
  call: CallTry,
  ticket: CallTicket,
  error: ModelCallError,
): Promise<void> {
  if (error.billing === 'billed' && error.usage !== undefined) {
    // Paid for and of no use: it is journalled under a key of its own, so that its cost stays with the document.
    const entry = failedEntry(call, error.usage);
    await settleReply(context, call, { ...ticket, callKey: `${call.key}!${ticket.callId}` }, entry);
    return;
  }
  // A model that is known to cost nothing leaves no money in doubt.
  const isFree = call.model.price !== undefined && ticket.hold === 0;
  const outcome: Outcome =
    error.billing === 'none' || isFree
      ? { kind: 'released', refused: error.failure === 'rate_limited' }
      : { kind: 'uncertain', reason: error.failure };
  const settlement = await context.ledger.settle(ticket, outcome);
  if (settlement.kind === 'fenced') call.owner.stop({ kind: 'fenced' });
}

function remember(owner: CallOwner, key: string, entry: JournalEntry): JournalEntry {
  owner.journal.set(key, entry);
  return entry;
}

function warnOf({ log }: CallModelContext, { owner, model }: CallTry, { warnings, servedBy }: Booked): void {
  for (const warning of warnings) {
    log.warn('call:odd', { batch: owner.claim.batchId, model: model.name, warning, servedBy });
  }
}

function entryOf(
  call: CallTry,
  reply: ModelReply,
  { cost, usage, usageEstimated, servedBy, warnings }: Booked,
): JournalEntry {
  return {
    ...entryBase(call, usage),
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
    ...(usageEstimated === true ? { usageEstimated } : {}),
    ...(servedBy === undefined ? {} : { servedBy }),
    ...(warnings.length === 0 ? {} : { warnings }),
  };
}

/** What the output beyond the cap of its request has cost, with room for a longer thought the next time. */
function beyondCap({ model, request }: CallTry, usage: Usage): NanoUsd {
  const tokens = usage.outputTokens - request.maxOutputTokens;
  if (tokens <= 0 || model.price === undefined) return 0;
  return (
    priceBound(model.price, usage.inputTokens, Math.ceil(tokens * OVERRUN_MARGIN)) -
    priceBound(model.price, usage.inputTokens, 0)
  );
}

function failedEntry(call: CallTry, usage: Usage): JournalEntry {
  return { ...entryBase(call, usage), reply: { text: '', finish: 'other' }, durationMs: 0 };
}

function entryBase({ document, tier, model, isFallback }: CallTry, usage: Usage) {
  return {
    document,
    model: model.name,
    tier,
    usage,
    cost: model.price === undefined ? 0 : priceCall(model.price, usage),
    ...(isFallback ? { fallback: true } : {}),
  };
}
