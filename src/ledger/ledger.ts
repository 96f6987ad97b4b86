import type { NanoUsd } from '../money/money.ts';
import type { JournalEntry } from './journal-entry.ts';
import type { PoolLimits } from './pool-limits.ts';
import type { QuotaNeed } from './quota-need.ts';
import type { BatchOwner, Scope, ScopeName, Timezones } from './scope.ts';

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
  /** Keys of the same question at providers that stand in for each other: a reply to one of them will do. */
  readonly otherKeys?: readonly string[];
  /** Name of the model in the config. */
  readonly model: string;
  /** Position in the slice of the document that it is for. Absent in calls of earlier versions. */
  readonly document?: number;
  /** When it was asked for, milliseconds since the epoch. */
  readonly at?: number;
  /** Most that the call can cost. */
  readonly hold: NanoUsd;
  /**
   * The lease that its hold is filed under, where that outlives this process (see `CallOwners`): any process may settle
   * the ticket. Absent: this process's own.
   */
  readonly lease?: string;
  /** The periods that it is booked in, fixed when the ticket is made. */
  readonly scopes: readonly Scope[];
  /** Absent where the provider has no known limits. */
  readonly quota?: QuotaNeed;
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
  /** What the call needs, where that is more than its ticket says: its model has billed beyond its cap before. */
  readonly needed?: NanoUsd;
}

export type Admission =
  /** `startInMs`: send it after this time, where not at once. */
  | { readonly kind: 'admitted'; readonly startInMs?: number }
  /** `callKey`: the key that it is stored under. */
  | { readonly kind: 'replay'; readonly entry: JournalEntry; readonly callKey: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** The pool's quota is used up for now; nothing is held. */
  | { readonly kind: 'wait'; readonly why: QuotaWait; readonly waitMs: number }
  | { readonly kind: 'fenced' };

/**
 * `rate`: so many requests or tokens per minute; `concurrency`: so many calls at once; `day`: today's quota, until midnight
 * UTC; `asked`: the provider asked everyone to wait; `proving`: the model's first replies are awaited, which show whether it keeps
 * to its output cap.
 */
export type QuotaWait = 'rate' | 'concurrency' | 'day' | 'asked' | 'proving';

export type Outcome =
  | {
      readonly kind: 'reply';
      readonly entry: JournalEntry;
      /** What output beyond the cap has cost; default 0. */
      readonly beyondCap?: NanoUsd;
    }
  /** The provider has certainly not billed it. `refused`: its limits did not let the call in, so ours take nothing back. */
  | { readonly kind: 'released'; readonly refused?: boolean }
  /** Nobody can know whether the provider has billed it. */
  | { readonly kind: 'uncertain'; readonly reason: string; readonly requestId?: string | undefined };

export type Settlement =
  | { readonly kind: 'settled' }
  /**
   * Another reply to the same question was stored first, perhaps of another provider (`callKey`: its own): that one counts,
   * this one is booked as uncertain.
   */
  | { readonly kind: 'duplicate'; readonly entry: JournalEntry; readonly callKey: string }
  /** The slice has another owner now, or has ended. */
  | { readonly kind: 'fenced' };

export interface UncertainCall {
  readonly callId: string;
  readonly model: string;
  readonly slice: number;
  /** Position in the slice of the document that it was for. Absent where that is not known. */
  readonly document?: number;
  /** When it was asked for, milliseconds since the epoch. */
  readonly at?: number;
  /** The provider's id of the request, where it has answered. */
  readonly requestId?: string;
  readonly cost: NanoUsd;
  readonly reason: string;
}

/** A call of a dead worker, as it was booked. */
export interface ReapedCall {
  readonly batchId: string;
  readonly worker: string;
  readonly cost: NanoUsd;
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
  /**
   * Takes limits over from a config. `replace`: this config is the one that counts; `fill`: it only states what no config
   * has stated yet. A limit set by command outranks both.
   *
   * @returns the scopes for which another limit was stated; with `fill` they keep it
   */
  applyConfigLimits(
    limits: ReadonlyMap<ScopeName, NanoUsd | undefined>,
    how: 'replace' | 'fill',
  ): Promise<readonly ScopeName[]>;
  /** A person's limit, which outranks every config until it is cleared. */
  setLimit(scope: ScopeName, limit: NanoUsd): Promise<void>;
  /** Takes a person's limit away: the config's counts again. */
  clearLimit(scope: ScopeName): Promise<void>;
  limit(scope: ScopeName): Promise<NanoUsd | undefined>;
  uncertainCalls(batchId: string): Promise<readonly UncertainCall[]>;
  /**
   * Tells the cluster what a provider said about a pool's limits.
   *
   * @returns isBlip: the refusal that was told comes whatever the rate is, and slows nobody down
   */
  reportQuota(pool: string, report: QuotaReport): Promise<{ readonly isBlip: boolean }>;
  /** What it has found out about a pool's limits; undefined where nothing is known. */
  foundQuota(pool: string): Promise<FoundQuota | undefined>;
}

type MinuteLimits = Pick<
  PoolLimits,
  'requestsPerMinute' | 'tokensPerMinute' | 'inputTokensPerMinute' | 'outputTokensPerMinute'
>;

export interface QuotaReport {
  /** It refused a call because of its limits. */
  readonly refused?: boolean;
  /** It asked everyone to wait so long. */
  readonly waitMs?: number;
  /** Limits a minute that its headers named. */
  readonly limits?: MinuteLimits;
  /** Limits that its headers named without a window: taken as those of a minute until its refusals show another one. */
  readonly guesses?: MinuteLimits;
  /** The config states limits per minute for the pool. */
  readonly isStated?: boolean;
}

/** What the cluster knows of a pool's limits beside the config. */
export interface FoundQuota {
  /** Named by response headers. */
  readonly told: MinuteLimits;
  /** Found from refusals, or from headers that name no window. */
  readonly found: MinuteLimits;
  /** When it was found; milliseconds since the epoch. */
  readonly foundAt?: number;
  /** It starts, with more and more calls per minute. */
  readonly isStarting: boolean;
  /** Nothing but one call now and then is sent until then, because most were refused or the provider asked for it. */
  readonly silentUntil?: number;
  /** Share of calls that it refuses whatever their rate is. */
  readonly blipShare?: number;
  /** Most that a reply has cost beyond its output cap, by model, in nano-dollars. */
  readonly overruns: Readonly<Record<string, NanoUsd>>;
}
