import type { JournalEntry } from '../ledger/journal-entry.ts';
import type { SliceClaim } from '../ledger/ledger.ts';
import type { NanoUsd } from '../money/money.ts';
import { StopError, type StopReason } from './stop.ts';

/** A slice in this worker's hands: what it owns, what was paid for so far, and whether it shall stop. */
export class SliceRun {
  static #taken = 0;
  /** Its turn among the batches of its workflow: the lowest goes first. */
  readonly turn: number;
  /** In which order this process took its slices: the first shall end first. */
  readonly order = SliceRun.#taken++;
  readonly claim: SliceClaim;
  /** Paid replies by call key: those found at the start and those bought since. */
  readonly journal: Map<string, JournalEntry>;
  /** Set where the batch is being ended: no new calls, only replies that are paid for. */
  readonly ending: 'cancelled' | 'expired' | undefined;
  /** Share of a limit from which the last tier is not asked any more. */
  readonly drainAt: number | undefined;
  /** The last tier is not asked any more: a limit is near and the workflow says so. Set by housekeeping. */
  draining = false;
  /** Calls under way by call key, so that equal documents wait for one reply. */
  readonly pending = new Map<string, Promise<JournalEntry>>();
  /** Calls answered from the answer cache, and what they had cost. */
  readonly cached = { calls: 0, saved: 0 };
  /** Rejected and escalated replies by code. */
  readonly rejections = new Map<string, number>();
  /** What the rejected replies of each code cost. */
  readonly rejectionCosts = new Map<string, NanoUsd>();
  /** Values hidden from providers, by rule. */
  readonly redactions = new Map<string, number>();
  readonly #rejected = new Set<JournalEntry>();
  readonly #stop = new AbortController();
  readonly #force = new AbortController();
  #reason: StopReason | undefined;

  constructor(
    claim: SliceClaim,
    journal: ReadonlyMap<string, JournalEntry>,
    options: { readonly turn?: number; readonly ending?: 'cancelled' | 'expired'; readonly drainAt?: number } = {},
  ) {
    this.turn = options.turn ?? 0;
    this.drainAt = options.drainAt;
    this.claim = claim;
    this.journal = new Map(journal);
    this.ending = options.ending;
  }

  /** Aborts when no new call may begin; calls in flight go on, because they are paid for. */
  get stopping(): AbortSignal {
    return this.#stop.signal;
  }

  /** Aborts calls in flight too: the grace time of a shutdown is over. */
  get forced(): AbortSignal {
    return this.#force.signal;
  }

  get reason(): StopReason | undefined {
    return this.#reason;
  }

  /** The first reason counts, but being fenced outweighs all others. */
  stop(reason: StopReason): void {
    if (this.#reason === undefined || reason.kind === 'fenced') this.#reason = reason;
    this.#stop.abort();
  }

  /** Stops it from inside its own work. */
  stopAndThrow(reason: StopReason): never {
    this.stop(reason);
    throw new StopError(reason);
  }

  force(): void {
    this.stop({ kind: 'shutdown' });
    this.#force.abort();
  }

  throwIfStopped(): void {
    if (this.#reason !== undefined) throw new StopError(this.#reason);
  }

  /**
   * Counts a reply that was not taken.
   *
   * @param paid what was paid for it; equal documents share a reply, and it is counted once
   */
  reject(code: string, paid: readonly JournalEntry[] = []): void {
    add(this.rejections, code, 1);
    for (const entry of paid) {
      if (this.#rejected.has(entry)) continue;
      this.#rejected.add(entry);
      add(this.rejectionCosts, code, entry.cost);
    }
  }

  hid(counts: ReadonlyMap<string, number>): void {
    for (const [rule, count] of counts) add(this.redactions, rule, count);
  }
}

function add(sums: Map<string, number>, key: string, amount: number): void {
  sums.set(key, (sums.get(key) ?? 0) + amount);
}
