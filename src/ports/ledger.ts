import type { JournalEntry } from '../domain/journal-entry.ts';
import type { NanoUsd } from '../domain/money.ts';
import type { BatchOwner, Scope, ScopeName, Timezones } from '../domain/scope.ts';

/** A slice in this worker's hands: the fence token says whose it is. */
export interface SliceClaim extends BatchOwner {
  readonly slice: number;
  readonly token: string;
  readonly timezones: Timezones;
}

/** One try of one model call. */
export interface CallTicket {
  readonly claim: SliceClaim;
  /** Unique for this try; admission and settlement are idempotent by it. */
  readonly callId: string;
  /** Same for every try of the same request. */
  readonly callKey: string;
  /** Name of the model in the config. */
  readonly model: string;
  /** Most that the call can cost. */
  readonly hold: NanoUsd;
  /** The periods that it is booked in, fixed when the ticket is made. */
  readonly scopes: readonly Scope[];
}

/** A scope's money in nano-dollars. `settled + uncertain + held <= limit`, always. */
export interface ScopeTotals {
  readonly settled: NanoUsd;
  /** Booked without a reply in any row. */
  readonly uncertain: NanoUsd;
  /** Reserved for calls in flight. */
  readonly held: NanoUsd;
  readonly limit?: NanoUsd;
}

export interface Refusal extends ScopeTotals {
  readonly scope: ScopeName;
  readonly limit: NanoUsd;
}

export type Admission =
  | { readonly kind: 'admitted' }
  | { readonly kind: 'replay'; readonly entry: JournalEntry }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'fenced' };

export type Outcome =
  | { readonly kind: 'reply'; readonly entry: JournalEntry }
  /** The provider has certainly not billed it. */
  | { readonly kind: 'released' }
  /** Nobody can know whether the provider has billed it. */
  | { readonly kind: 'uncertain'; readonly reason: string };

export type Settlement =
  | { readonly kind: 'settled' }
  /** Another reply to the same request was stored first: that one counts, this one is booked as uncertain. */
  | { readonly kind: 'duplicate'; readonly entry: JournalEntry }
  /** The slice has another owner now, or has ended. */
  | { readonly kind: 'fenced' };

export interface UncertainCall {
  readonly callId: string;
  readonly model: string;
  readonly slice: number;
  readonly cost: NanoUsd;
  readonly reason: string;
}

/**
 * Where money is counted for the whole cluster. Admission and settlement are atomic and idempotent by call id.
 * Every method throws `NightmillError('redis_unavailable')` when Redis stays out of reach.
 */
export interface Ledger {
  admit(ticket: CallTicket): Promise<Admission>;
  settle(ticket: CallTicket, outcome: Outcome): Promise<Settlement>;
  /** Paid replies of a slice that was not committed, by call key. */
  journal(batchId: string, slice: number): Promise<ReadonlyMap<string, JournalEntry>>;
  totals(scope: Scope): Promise<ScopeTotals>;
  /** Takes limits over from the config; a limit that changed there replaces one set by command. */
  applyConfigLimits(limits: ReadonlyMap<ScopeName, NanoUsd | undefined>): Promise<void>;
  setLimit(scope: ScopeName, limit: NanoUsd): Promise<void>;
  limit(scope: ScopeName): Promise<NanoUsd | undefined>;
  uncertainCalls(batchId: string): Promise<readonly UncertainCall[]>;
}
