import type { CallTicket, Outcome, ScopeTotals } from '../../../src/ledger/ledger.ts';
import type { Scope } from '../../../src/ledger/scope.ts';

/** One time that a worker was alive: holds belong to it. */
export interface ModelLease {
  ended: boolean;
}

export interface ModelCall {
  readonly ticket: CallTicket;
  /** Index of the worker whose ledger made the admission. */
  readonly worker: number;
  /** Present while the hold stands. */
  held?: { readonly amount: number; readonly lease: ModelLease } | undefined;
  /** Booked as uncertain and listed. */
  listed?: number | undefined;
  settled?: number | undefined;
  /** What its worker has said; afterwards the same may only be said again. */
  outcome?: Outcome | undefined;
  /** An admission sent again was not granted: the call was never made, and nobody settles it. */
  abandoned?: boolean;
}

export interface ModelSlice {
  /** Token of the present owner; `done` once committed; undefined before the first claim and after the seal. */
  fence: string | undefined;
  readonly tokens: string[];
  /** Cost by call key. */
  journal: Map<string, number>;
  committed?: { readonly token: string; readonly cost: number; readonly entries: number };
}

export interface ModelBatch {
  readonly batchId: string;
  readonly workflow: string;
  readonly slices: readonly ModelSlice[];
  readonly calls: ModelCall[];
  sealed: boolean;
}

/** What the ledger promises, written down as slowly and plainly as possible: totals are sums over all calls. */
export class LedgerModel {
  readonly batches: ModelBatch[] = [];
  readonly limits = new Map<string, { set?: number; config?: number | undefined }>();
  /** Scopes that may stand above their limit for now: it was lowered below what was booked, or a call cost more than its hold. */
  readonly mayExceed = new Set<string>();

  limit(scope: string): number | undefined {
    const known = this.limits.get(scope);
    return known?.set ?? known?.config;
  }

  limitChanged(scope: Scope): void {
    const limit = this.limit(scope.name);
    if (limit !== undefined && this.booked(scope) > limit) this.mayExceed.add(scope.name);
  }

  calls(): readonly ModelCall[] {
    return this.batches.flatMap((batch) => batch.calls);
  }

  #callsOf({ name }: Scope): readonly ModelCall[] {
    return this.batches
      .filter(({ batchId, workflow }) => [`batch:${batchId}`, `workflow:${workflow}/day`, 'global/day'].includes(name))
      .flatMap((batch) => batch.calls);
  }

  totals(scope: Scope): ScopeTotals {
    const sum = { settled: 0, uncertain: 0, held: 0 };
    for (const call of this.#callsOf(scope)) {
      sum.settled += call.settled ?? 0;
      sum.uncertain += call.listed ?? 0;
      sum.held += call.held?.amount ?? 0;
    }
    const limit = this.limit(scope.name);
    return { ...sum, ...(limit === undefined ? {} : { limit }) };
  }

  booked(scope: Scope): number {
    const { settled, uncertain, held } = this.totals(scope);
    return settled + uncertain + held;
  }

  open(batch: ModelBatch): number {
    return batch.calls.filter((call) => call.held !== undefined).length;
  }

  /** The answer that an admission under this lease owes, with what it books done. */
  admit(slice: ModelSlice, call: ModelCall, lease: ModelLease): unknown {
    const { ticket } = call;
    if (slice.fence !== ticket.claim.token) {
      call.held = undefined;
      return { kind: 'fenced' };
    }
    if (slice.journal.has(ticket.callKey)) {
      call.held = undefined;
      return { kind: 'replay', cost: slice.journal.get(ticket.callKey) };
    }
    if (call.held !== undefined) return { kind: 'admitted' };
    if (lease.ended) return { kind: 'lease_lost' };
    for (const scope of ticket.scopes) {
      const totals = this.totals(scope);
      if (totals.limit !== undefined && this.booked(scope) + ticket.hold > totals.limit) {
        return { kind: 'refused', refusal: { scope: scope.name, ...totals } };
      }
    }
    call.held = { amount: ticket.hold, lease };
    return { kind: 'admitted' };
  }

  settle(slice: ModelSlice, call: ModelCall, outcome: Outcome): unknown {
    const { callKey, claim } = call.ticket;
    const { held, listed } = call;
    if (held === undefined && listed === undefined) return { kind: 'settled' };
    if (held === undefined && (slice.fence === undefined || outcome.kind === 'uncertain')) return { kind: 'settled' };
    call.held = undefined;
    call.listed = outcome.kind === 'uncertain' ? held?.amount : undefined;
    if (outcome.kind !== 'reply') return { kind: 'settled' };
    const { cost } = outcome.entry;
    if (cost > call.ticket.hold) for (const scope of call.ticket.scopes) this.mayExceed.add(scope.name);
    const first = slice.journal.get(callKey);
    if (slice.fence === undefined || slice.fence === 'done' || first !== undefined) {
      call.listed = cost;
      return first === undefined ? { kind: 'fenced' } : { kind: 'duplicate', cost: first };
    }
    slice.journal.set(callKey, cost);
    call.settled = cost;
    return { kind: slice.fence === claim.token ? 'settled' : 'fenced' };
  }

  reap(): number {
    const dead = this.calls().filter((call) => call.held?.lease.ended);
    for (const call of dead) {
      call.listed = call.held?.amount;
      call.held = undefined;
    }
    return dead.length;
  }
}
