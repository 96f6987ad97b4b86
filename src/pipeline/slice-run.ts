import type { JournalEntry } from '../domain/journal-entry.ts';
import type { SliceClaim } from '../ports/ledger.ts';
import { StopError, type StopReason } from './stop.ts';

/** A slice in this worker's hands: what it owns, what was paid for so far, and whether it shall stop. */
export class SliceRun {
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
  readonly #stop = new AbortController();
  readonly #force = new AbortController();
  #reason: StopReason | undefined;

  constructor(
    claim: SliceClaim,
    journal: ReadonlyMap<string, JournalEntry>,
    ending?: 'cancelled' | 'expired',
    drainAt?: number,
  ) {
    this.drainAt = drainAt;
    this.claim = claim;
    this.journal = new Map(journal);
    this.ending = ending;
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

  force(): void {
    this.stop({ kind: 'shutdown' });
    this.#force.abort();
  }

  throwIfStopped(): void {
    if (this.#reason !== undefined) throw new StopError(this.#reason);
  }

  reject(code: string): void {
    this.rejections.set(code, (this.rejections.get(code) ?? 0) + 1);
  }
}
