import type { Elsewhere } from '../quota/admission-queue.ts';
import { callKey, type ModelRequest } from '../requests/model-request.ts';
import type { ModelSpec, Spread } from '../workflows/workflow.ts';
import type { CallOwner } from './call-owner.ts';

/** One way to ask a question: a model and the request in the shape that it wants. */
export interface Route {
  readonly model: ModelSpec;
  readonly request: ModelRequest;
  /** The call key: what a paid reply to this request is found by. */
  readonly key: string;
}

/** A route with its call key. A request is hashed once, here. */
export function routeTo(model: ModelSpec, request: ModelRequest): Route {
  return { model, request, key: callKey(model.provider, request) };
}

/** One question to one tier, from the journal to the settlement: what is asked, in whose name, for which document. */
export interface Call {
  readonly owner: CallOwner;
  /** Position of the document in its slice. */
  readonly document: number;
  readonly tier: number;
  /** The tier's own model first, at each of its hosts, then those that stand in for it when its provider is in trouble. */
  readonly routes: readonly [Route, ...Route[]];
  /** Its document can be cut, so a refusal that may be about length is taken for one. Absent: it cannot, or has been. */
  readonly mayCut?: boolean;
  /** The built-in model stands in where no route is well: the call gives up then instead of waiting. Absent: it waits. */
  readonly standsInLocally?: boolean;
  /** Where it goes when another host lets it start while it waits for one. Absent: it stays in line. */
  readonly elsewhere?: Elsewhere;
  /** The first so many routes are hosts of the tier's own model. Absent: the first alone. */
  readonly spread?: { readonly hosts: number; readonly by: Spread };
}

/** The routes to the tier's own model. */
export function hostRoutes({ routes, spread }: Pick<Call, 'routes' | 'spread'>): readonly Route[] {
  return routes.slice(0, spread?.hosts ?? 1);
}

/** Whether the route stands in for the tier's own provider. */
export function isFallback(call: Call, route: Route): boolean {
  return !hostRoutes(call).includes(route);
}
