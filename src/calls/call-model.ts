import type { JournalEntry } from '../ledger/journal-entry.ts';
import { FAILURE_RULES, type ModelCallError } from '../providers/failure.ts';
import type { ProviderGate } from '../providers/provider-gate.ts';
import { inputTokenBound, typicalCost } from '../requests/estimate.ts';
import { poolOf } from '../workflows/workflow.ts';
import { type Call, hostRoutes, isFallback, type Route } from './call.ts';
import type { CallModelContext } from './call-context.ts';
import { orderHosts } from './choose-host.ts';
import { decideRetry, needsOperator } from './decide-retry.ts';
import { CallFailedError, DocumentEndedError, ProvidersDownError, type StopError } from './stop.ts';
import { LongWaitError, tryCall } from './try-call.ts';

/** After so many failures at one provider a call goes to the next one. */
const FAILURES_BEFORE_FALLBACK = 2;
/** A wait that a provider asks for, from which on another one is asked instead. */
const LONG_WAIT_MS = 2_000;

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
  const reply = buy(context, call).finally(() => owner.pending.delete(pendingKey));
  owner.pending.set(pendingKey, reply);
  return await reply;
}

/** How often one call has failed on each of its routes, and where it was for a reason of the provider. */
class Failures extends Map<Route, number> {
  readonly ofProvider = new Map<Route, { count: number; readonly firstAt: number }>();
}

async function buy(context: CallModelContext, call: Call): Promise<JournalEntry> {
  const { owner } = call;
  for (const { key } of call.routes) {
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
    const { route, gate, stay } = await nextRoute(context, call, failures);
    using _ = stay;
    owner.throwIfStopped();
    const send = () => tryCall(context, call, route, gate);
    const result = gate.hasPromptCache
      ? await context.prefixes.run(gate.name, route.request, send, owner.stopping)
      : await send();
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

/**
 * Where the next try goes: to the first host or provider that is well and has not failed this call twice. Where none is,
 * it waits for the first one.
 */
async function nextRoute(
  context: CallModelContext,
  call: Call,
  failures: Failures,
): Promise<{ route: Route; gate: ProviderGate; stay: Disposable | undefined }> {
  const { owner, routes } = call;
  for (;;) {
    owner.throwIfStopped();
    const open = inOrder(context, call, failures).filter((route) => isOpen(context, failures, route));
    const isLeft = call.standsInLocally === true && routes.every((route) => isDown(context, failures, route));
    if (isLeft && open.length === 0) throw new ProvidersDownError(call.tier);
    let shortest = Number.POSITIVE_INFINITY;
    let hasShortWait = false;
    for (const route of open.length === 0 ? [routes[0]] : open) {
      // A short wait is no reason to leave the tier's own model.
      if (hasShortWait && isFallback(call, route)) break;
      const gate = gateOf(context, route);
      const waitMs = gate.turnInMs();
      if (waitMs === 0) return { route, gate, stay: assign(context, call, route, gate) };
      shortest = Math.min(shortest, waitMs);
      if (waitMs <= LONG_WAIT_MS && !gate.hasOutage) hasShortWait = true;
    }
    if (isLeft) throw new ProvidersDownError(call.tier);
    await context.clock.sleep(shortest, owner.stopping);
  }
}

/** Work on the slice stops, unless the built-in model stands in. */
function giveUp({ owner, tier, standsInLocally }: Call, reason: StopError['reason']): never {
  if (standsInLocally === true && reason.kind === 'provider') throw new ProvidersDownError(tier);
  return owner.stopAndThrow(reason);
}

function noteOwnFailure(failures: Failures, route: Route, { failure }: ModelCallError, now: number): void {
  failures.set(route, (failures.get(route) ?? 0) + 1);
  if (FAILURE_RULES[failure].retry !== 'backoff') return;
  const known = failures.ofProvider.get(route) ?? { count: 0, firstAt: now };
  failures.ofProvider.set(route, { ...known, count: known.count + 1 });
}

/** Nobody is answered there, as far as this process knows; a document that its provider fails at alone is no sign of it. */
function isDown(context: CallModelContext, { ofProvider }: Failures, route: Route): boolean {
  const gate = gateOf(context, route);
  if (gate.needsOperator || gate.hasOutage || gate.turnInMs() > LONG_WAIT_MS) return true;
  const { count, firstAt } = ofProvider.get(route) ?? { count: 0, firstAt: 0 };
  return count >= FAILURES_BEFORE_FALLBACK && !gate.hasAnsweredSince(firstAt);
}

/** How long a call takes at a host that was not measured yet. */
const ASSUMED_CALL_MS = 1_000;

/** The hosts of the tier's model as its spread has it, then what stands in for them. */
function inOrder(context: CallModelContext, call: Call, failures: Failures): readonly Route[] {
  if (call.spread === undefined) return call.routes;
  const hosts = hostRoutes(call);
  const views = hosts.map((route) => {
    const { model, request } = route;
    const gate = gateOf(context, route);
    const callMs = gate.callMs(model.id);
    const cost =
      model.price === undefined ? undefined : typicalCost(model, inputTokenBound(request), request.maxOutputTokens);
    const line = context.pools.line(poolOf(model), gate);
    const outlook = line.outlook(paceOf(context, route), callMs ?? ASSUMED_CALL_MS);
    return { route, callMs, cost, failures: failures.get(route) ?? 0, ...outlook };
  });
  return [...orderHosts(views, call.spread.by).map(({ route }) => route), ...call.routes.slice(hosts.length)];
}

/** Until it is disposed of, calls that choose after this one see it at its host; so no other may choose in between. */
function assign(context: CallModelContext, { spread }: Call, route: Route, gate: ProviderGate): Disposable | undefined {
  if (spread === undefined) return undefined;
  return context.pools.line(poolOf(route.model), gate).assign(paceOf(context, route));
}

function paceOf({ pools, ratios }: CallModelContext, { model, request }: Route): number {
  return pools.paceMs(poolOf(model), ratios.expected(model.name, inputTokenBound(request)), request.maxOutputTokens);
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

function hasOthers(context: CallModelContext, { routes }: Call, failures: Failures, route: Route): boolean {
  return routes.some((other) => other !== route && isOpen(context, failures, other));
}

function isOpen(context: CallModelContext, failures: Failures, route: Route): boolean {
  return (failures.get(route) ?? 0) < FAILURES_BEFORE_FALLBACK && !gateOf(context, route).needsOperator;
}

function gateOf({ providers }: CallModelContext, { model }: Route): ProviderGate {
  const gate = providers.get(model.provider);
  if (gate !== undefined) return gate;
  throw new CallFailedError(
    'provider_unknown',
    `This worker's config has no provider ${JSON.stringify(model.provider)}`,
  );
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
