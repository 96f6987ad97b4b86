import type { JournalEntry } from '../ledger/journal-entry.ts';
import type { CallTicket, QuotaWait } from '../ledger/ledger.ts';
import { scopesOf } from '../ledger/scope.ts';
import { formatUsd, type NanoUsd } from '../money/money.ts';
import type { ProviderGate } from '../providers/provider-gate.ts';
import type { QueueAdmission } from '../quota/admission-queue.ts';
import type { QueuePosition } from '../quota/fair-queue.ts';
import { holdFor, writeTokenBound } from '../requests/estimate.ts';
import { poolOf } from '../workflows/workflow.ts';
import type { Call, Route } from './call.ts';
import type { CallModelContext } from './call-context.ts';
import type { CallOwner } from './call-owner.ts';
import type { DocumentBudget, DocumentRoom } from './document-budget.ts';
import { CallFailedError } from './stop.ts';

const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 500;

export type Admitted =
  | { readonly kind: 'admitted'; readonly ticket: CallTicket; readonly place: Disposable }
  | { readonly kind: 'replay'; readonly entry: JournalEntry; readonly callKey: string }
  /** Another host lets it start at once; nothing is held. */
  | { readonly kind: 'elsewhere' }
  /** Too long to stand in line for; nothing is held. */
  | { readonly kind: 'wait'; readonly why: QuotaWait; readonly waitMs: number };

/**
 * Gets a call admitted: a place in this process, its money held, its quota taken, and the time of its start come.
 *
 * A refusal of money while other calls are in flight is not the end: what they do not use comes back when they settle,
 * so the call waits for that, and the breaker opens only when nothing more can come back. Before it does, the call is
 * tried once more at what it will likely cost: alone under the limit, the bound for any tokenizer would leave money
 * unused.
 *
 * @param inputBound most input tokens that the request can have
 * @param atMost what may be held for it; absent: what it can cost
 * @returns a paid reply to the same request, where there is one; a wait of more than a minute is the caller's to decide
 * @throws {StopError} `budget` when the limit is reached, `fenced` when the slice is not this worker's any more
 */
export async function admitCall(
  context: CallModelContext,
  call: Call,
  route: Route,
  gate: ProviderGate,
  inputBound: number,
  atMost: NanoUsd = Number.POSITIVE_INFINITY,
): Promise<Admitted> {
  const { ledger, clock, pools, ratios } = context;
  const { owner } = call;
  const { model, request } = route;
  const inputTokens = ratios.expected(model.name, inputBound);
  const callId = context.newId();
  const askedAt = clock.monotonic();
  const queue = pools.line(poolOf(model), gate);
  const position = positionOf(call, inputTokens + request.maxOutputTokens);
  const bound = Math.min(atMost, holdFor(model, inputBound, request.maxOutputTokens, writeTokenBound(request)));
  let hold = bound;
  const makeTicket = (): CallTicket => ({ ...ticketOf(context, call, route, inputTokens), callId, hold });
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 1.5, LONGEST_WAIT_MS)) {
    let entrance: QueueAdmission | 'elsewhere';
    try {
      entrance = await queue.enter(position, makeTicket, owner.stopping, call.elsewhere);
    } catch (error) {
      owner.throwIfStopped();
      throw error;
    }
    if (entrance === 'elsewhere') return { kind: 'elsewhere' };
    const { admission, ticket, place } = entrance;
    if (admission.kind === 'admitted' && place !== undefined) {
      if (admission.startInMs !== undefined) await clock.sleep(admission.startInMs, owner.stopping);
      if (owner.reason !== undefined) await giveBack(ledger, ticket, owner, place);
      context.meter?.callAdmitted(poolOf(model), clock.monotonic() - askedAt, inputTokens + request.maxOutputTokens);
      return { kind: 'admitted', ticket, place };
    }
    if (admission.kind === 'replay' || admission.kind === 'wait') return admission;
    if (admission.kind !== 'refused') return owner.stopAndThrow({ kind: 'fenced' });
    const { refusal } = admission;
    const { needed = hold } = refusal;
    if (refusal.held === 0 || needed > refusal.limit) {
      const likely = hold === bound ? likelyHold(context, route) : undefined;
      if (likely === undefined || likely >= hold) return owner.stopAndThrow({ kind: 'budget', refusal, hold: needed });
      hold = likely;
      continue;
    }
    await clock.sleep(waitMs, owner.stopping);
    owner.throwIfStopped();
  }
}

/** @param cost tokens of input and output that the call will likely take of the quota */
function positionOf({ owner, tier }: Call, cost: number): QueuePosition {
  return { group: owner.claim.workflow, turn: owner.turn, slice: owner.order, tier, cost };
}

function ticketOf({ pools, clock }: CallModelContext, call: Call, route: Route, inputTokens: number) {
  const { claim } = call.owner;
  const { model, request, key } = route;
  // Once: its time and the periods that it is booked in must not fall on two days.
  const at = clock.now();
  const otherKeys = call.routes.flatMap((other) => (other.key === key ? [] : [other.key]));
  return {
    claim,
    callKey: key,
    ...(otherKeys.length === 0 ? {} : { otherKeys }),
    model: model.name,
    document: call.document,
    at,
    scopes: scopesOf(claim, at, claim.timezones),
    quota: pools.need(poolOf(model), inputTokens, request.maxOutputTokens),
  };
}

/**
 * Keeps room for the call in its document's own limit, at what it can cost or, where that is too much, at what it will likely
 * cost. Calls of the same document that are under way are waited for first: what they do not use comes back.
 *
 * @throws {CallFailedError} `document_budget`: the call might take the document beyond it
 */
export async function roomInDocument(
  context: CallModelContext,
  { owner, document }: Call,
  route: Route,
  budget: DocumentBudget,
  inputBound: number,
): Promise<DocumentRoom> {
  const { model, request } = route;
  const bound = holdFor(model, inputBound, request.maxOutputTokens, writeTokenBound(request));
  for (;;) {
    const room = budget.room(document, bound);
    if (room !== undefined) return room;
    if (!budget.hasHeld(document)) break;
    await budget.change(document);
    owner.throwIfStopped();
  }
  const likely = Math.min(bound, likelyHold(context, route) ?? bound);
  const room = budget.room(document, likely);
  if (room !== undefined) return room;
  throw new CallFailedError(
    'document_budget',
    `The next call, to ${model.name}, may cost ${formatUsd(likely)}; ${formatUsd(budget.spent(document))} of this document's ` +
      `${formatUsd(budget.limit)} are spent. To continue, raise workflows.${owner.claim.workflow}.budget.document and retry the batch.`,
  );
}

/** Most that the call will likely cost, where that is known. */
function likelyHold({ ratios }: CallModelContext, { model, request }: Route): NanoUsd | undefined {
  const tokens = ratios.likelyBound(model.name, request);
  return tokens === undefined ? undefined : holdFor(model, tokens, request.maxOutputTokens, writeTokenBound(request));
}

/** A call that is not to be made any more when its start has come. */
async function giveBack(
  ledger: CallModelContext['ledger'],
  ticket: CallTicket,
  owner: CallOwner,
  place: Disposable,
): Promise<void> {
  place[Symbol.dispose]();
  await ledger.settle(ticket, { kind: 'released' });
  owner.throwIfStopped();
}
