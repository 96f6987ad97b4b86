import { FAILURE_RULES, type ModelCallError } from '../providers/failure.ts';
import type { ProviderGate } from '../providers/provider-gate.ts';
import type { AdmissionQueue, Elsewhere, Stay } from '../quota/admission-queue.ts';
import { inputTokenBound, typicalCost } from '../requests/estimate.ts';
import { poolOf } from '../workflows/workflow.ts';
import { type Call, hostRoutes, isFallback, type Route } from './call.ts';
import type { CallModelContext } from './call-context.ts';
import { type HostView, orderHosts } from './choose-host.ts';
import { CallFailedError, ProvidersDownError } from './stop.ts';

/** After so many failures at one provider a call goes to the next one. */
export const FAILURES_BEFORE_FALLBACK = 2;
/** A wait that a provider asks for, from which on another one is asked instead. */
const LONG_WAIT_MS = 2_000;

/** How often one call has failed on each of its routes, and where it was for a reason of the provider. */
export class Failures extends Map<Route, number> {
  readonly ofProvider = new Map<Route, { count: number; readonly firstAt: number }>();
}

/** Where a try goes. `stay`: its part of the line at its host, where it has several. */
export interface Chosen {
  readonly route: Route;
  readonly gate: ProviderGate;
  readonly stay: Stay | undefined;
}

/**
 * Where the next try goes: to the first host or provider that is well and has not failed this call twice.
 *
 * @returns where none is, the milliseconds after which to choose again
 */
export function chooseRoute(context: CallModelContext, call: Call, failures: Failures): Chosen | number {
  const { owner, routes } = call;
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
  return shortest;
}

export function noteOwnFailure(failures: Failures, route: Route, { failure }: ModelCallError, now: number): void {
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
  const views = hosts.map((route) => viewOf(context, failures, route));
  return [...orderHosts(views, call.spread.by).map(({ route }) => route), ...call.routes.slice(hosts.length)];
}

function viewOf(context: CallModelContext, failures: Failures, route: Route): HostView & { readonly route: Route } {
  const { model, request } = route;
  const gate = gateOf(context, route);
  const callMs = gate.callMs(model.id);
  const cost =
    model.price === undefined ? undefined : typicalCost(model, inputTokenBound(request), request.maxOutputTokens);
  const outlook = lineTo(context, route, gate).outlook(paceOf(context, route), callMs ?? ASSUMED_CALL_MS);
  return { route, callMs, cost, failures: failures.get(route) ?? 0, ...outlook };
}

/** What a call does while it waits for one of several hosts: as soon as another one lets it start, it goes there. */
export class OtherHosts implements Elsewhere {
  readonly lines: string;
  /** Where it has gone. */
  chosen: Chosen | undefined;
  readonly #choose: () => Chosen | undefined;

  constructor(context: CallModelContext, call: Call, failures: Failures, from: Route) {
    const names = hostRoutes(call).map(({ model }) => model.name);
    // One that has failed somewhere cannot go wherever the others can.
    this.lines = [...names, call.spread?.by, ...(failures.size === 0 ? [] : [call.document])].join(' ');
    this.#choose = () => chooseOther(context, call, failures, from);
  }

  goes(): boolean {
    this.chosen = this.#choose();
    return this.chosen !== undefined;
  }
}

/** Another host where the call starts at once, and which is better for it than to wait as the first in line here. */
function chooseOther(context: CallModelContext, call: Call, failures: Failures, from: Route): Chosen | undefined {
  if (call.spread === undefined) return undefined;
  const others = hostRoutes(call).filter((route) => route !== from && isWell(context, failures, route));
  const here = viewOf(context, failures, from);
  const startsInMs = lineTo(context, from, gateOf(context, from)).frontStartsInMs(here.callMs ?? ASSUMED_CALL_MS);
  const views = others.map((route) => viewOf(context, failures, route));
  const [best] = orderHosts([{ ...here, startsInMs }, ...views], call.spread.by);
  if (best === undefined || best.route === from || best.startsInMs > 0) return undefined;
  const gate = gateOf(context, best.route);
  return { route: best.route, gate, stay: assign(context, call, best.route, gate) };
}

/** It can be asked now, and is not tried out after an outage. */
function isWell(context: CallModelContext, failures: Failures, route: Route): boolean {
  const gate = gateOf(context, route);
  return isOpen(context, failures, route) && !gate.hasOutage && gate.turnInMs() === 0;
}

/** Until it is disposed of, calls that choose after this one see it at its host; so no other may choose in between. */
function assign(context: CallModelContext, { spread }: Call, route: Route, gate: ProviderGate): Stay | undefined {
  if (spread === undefined) return undefined;
  return lineTo(context, route, gate).assign(paceOf(context, route));
}

function lineTo({ pools }: CallModelContext, { model }: Route, gate: ProviderGate): AdmissionQueue {
  return pools.line(poolOf(model), gate);
}

function paceOf({ pools, ratios }: CallModelContext, { model, request }: Route): number {
  return pools.paceMs(poolOf(model), ratios.expected(model.name, inputTokenBound(request)), request.maxOutputTokens);
}

export function hasOthers(context: CallModelContext, { routes }: Call, failures: Failures, route: Route): boolean {
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
