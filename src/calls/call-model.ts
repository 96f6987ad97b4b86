import type { JournalEntry } from '../ledger/journal-entry.ts';
import { FAILURE_RULES, type ModelCallError } from '../providers/failure.ts';
import type { ProviderGate } from '../providers/provider-gate.ts';
import { inputTokenBound } from '../requests/estimate.ts';
import { poolOf } from '../workflows/workflow.ts';
import type { Call, Route } from './call.ts';
import type { CallModelContext } from './call-context.ts';
import { decideRetry, needsOperator } from './decide-retry.ts';
import {
  type Chosen,
  chooseRoute,
  FAILURES_BEFORE_FALLBACK,
  Failures,
  hasOthers,
  noteOwnFailure,
  OtherHosts,
} from './next-route.ts';
import { CallFailedError, DocumentEndedError, ProvidersDownError, type StopError } from './stop.ts';
import { ElsewhereError, LongWaitError, tryCall } from './try-call.ts';

/**
 * One reply to one request, bought at most once: from the journal if it was paid for before, else from a provider,
 * with money held before the request leaves and settled together with the journal entry when the reply is there.
 *
 * This is the one owner of retries and of the change to another provider; each try passes admission again.
 *
 * @throws {StopError} the slice must stop; {DocumentEndedError} no new calls; {CallFailedError} this call cannot succeed
 */
export async function callModel(context: CallModelContext, call: Call): Promise<JournalEntry> {
  const { owner } = call;
  for (const { key } of call.routes) {
    const known = owner.journal.get(key);
    if (known !== undefined) return known;
  }
  const pendingKey = call.routes[0].key;
  const pending = owner.pending.get(pendingKey);
  if (pending !== undefined) return await pending;
  const reply = buy(context, call);
  owner.pending.set(pendingKey, reply);
  try {
    return await reply;
  } finally {
    owner.pending.delete(pendingKey);
  }
}

/** One try, at the first host that lets the call start: while it waits for one, it goes where there is room before. */
async function tryNextRoute(context: CallModelContext, call: Call, failures: Failures) {
  const { owner, spread } = call;
  let next: Chosen | number = chooseRoute(context, call, failures);
  for (;;) {
    if (typeof next === 'number') {
      await context.clock.sleep(next, owner.stopping);
      next = chooseRoute(context, call, failures);
      continue;
    }
    const { route, gate, stay }: Chosen = next;
    using _ = stay;
    owner.throwIfStopped();
    const others = spread === undefined ? undefined : new OtherHosts(context, call, failures, route);
    const asked = others === undefined ? call : { ...call, elsewhere: others };
    const send = () => tryCall(context, asked, route, gate);
    try {
      const result = gate.hasPromptCache
        ? await context.prefixes.run(gate.name, route.request, send, owner.stopping)
        : await send();
      return { route, gate, result };
    } catch (error) {
      if (!(error instanceof ElsewhereError) || others?.chosen === undefined) throw error;
      stay?.leave();
      next = others.chosen;
    }
  }
}

async function buy(context: CallModelContext, call: Call): Promise<JournalEntry> {
  const { owner } = call;
  for (const { key } of context.cache === undefined ? [] : call.routes) {
    const cached = await context.cache?.get(key);
    if (cached === undefined) continue;
    owner.cached.calls += 1;
    owner.cached.saved += cached.cost;
    return cached;
  }
  if (owner.ending !== undefined) throw new DocumentEndedError(owner.ending);
  const failures = new Failures();
  let firstFailureAt: number | undefined;
  for (let attempt = 1, waits = 0; ; ) {
    const { route, gate, result } = await tryNextRoute(context, call, failures);
    if (!(result instanceof Error)) return result;
    if (result instanceof LongWaitError) {
      if (!hasOthers(context, call, failures, route)) return giveUp(call, result.reason);
      failures.set(route, FAILURES_BEFORE_FALLBACK);
      continue;
    }
    noteOwnFailure(failures, route, result, context.clock.monotonic());
    const isOutOfPatience = await noteFailure(context, route, gate, result);
    if (mayBeTooLong(call, route, gate, result)) throw tooLong(result);
    const canChange = hasOthers(context, call, failures, route);
    const access =
      needsOperator(result) || result.failure === 'bad_request'
        ? gate.access.refused(route.model.id, `${owner.claim.batchId}/${owner.claim.slice}/${call.document}`)
        : undefined;
    firstFailureAt ??= context.clock.monotonic();
    const decision = decideRetry(
      result,
      gate.name,
      { attempt, waits, maxAttempts: context.maxAttempts },
      {
        now: context.clock.now(),
        random: context.random,
        isOutOfPatience,
        othersSucceed: gate.hasAnsweredSince(firstFailureAt),
        // A provider that has never worked is not asked for more evidence while another one stands in.
        ...(access === undefined || (canChange && !access.everWorked) ? {} : { access }),
      },
    );
    if (decision.kind === 'stop' && access !== undefined) gate.markUnusable();
    if (decision.kind === 'stop' && (decision.reason.kind === 'shutdown' || !canChange)) {
      return giveUp(call, decision.reason);
    }
    if (decision.kind === 'fail') throw failed(decision.code, result);
    const delayMs = decision.kind === 'stop' || canChange ? 0 : decision.delayMs;
    owner.countRetry(result.failure);
    context.log.info('call:retry', {
      batch: owner.claim.batchId,
      slice: owner.claim.slice,
      provider: gate.name,
      model: route.model.name,
      failure: result.failure,
      status: result.status,
      requestId: result.requestId,
      attempt,
      delayMs: Math.round(delayMs),
    });
    if (decision.kind === 'retry' && decision.counts === 'wait') waits += 1;
    else attempt += 1;
    await context.clock.sleep(delayMs, owner.stopping);
  }
}

/** Work on the slice stops, unless the built-in model stands in. */
function giveUp({ owner, tier, standsInLocally }: Call, reason: StopError['reason']): never {
  if (standsInLocally === true && reason.kind === 'provider') throw new ProvidersDownError(tier);
  return owner.stopAndThrow(reason);
}

function failed(code: string | undefined, error: ModelCallError): CallFailedError {
  if (code === undefined) return new CallFailedError(error.failure, error.message, { cause: error });
  const message = `Something on the way refused this text, while other calls with the same key succeed. ${error.message}`;
  return new CallFailedError(code, message, { cause: error });
}

/** Refused with a word about size, and longer than what this model has taken: a smaller request will tell. */
function mayBeTooLong({ mayCut }: Call, { model, request }: Route, gate: ProviderGate, error: ModelCallError): boolean {
  if (mayCut !== true || !error.mayBeTooLong) return false;
  return inputTokenBound(request) > gate.access.longestThatWorked(model.id);
}

function tooLong(error: ModelCallError): CallFailedError {
  return new CallFailedError('context_overflow', error.message, { cause: error });
}

/** Tells the provider's gate and the cluster what a failure says; true when patience with the provider is over. */
async function noteFailure(
  context: CallModelContext,
  { model }: Route,
  gate: ProviderGate,
  error: ModelCallError,
): Promise<boolean> {
  if (error.failure === 'rate_limited') {
    const waitMs = error.retryAfterMs ?? 0;
    const isBlip = await context.pools.refused(poolOf(model), waitMs, error.rateLimitHeaders);
    if (!isBlip) gate.backOff(waitMs);
    return false;
  }
  if (needsOperator(error)) return false;
  if (error.failure === 'aborted') return false;
  if (FAILURE_RULES[error.failure].retry === 'backoff') return gate.failed(error);
  gate.answered();
  return false;
}
