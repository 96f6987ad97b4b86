import type { JournalEntry } from '../ledger/journal-entry.ts';
import type { SliceClaim } from '../ledger/ledger.ts';
import type { NanoUsd } from '../money/money.ts';
import type { DocumentBudget } from './document-budget.ts';
import { StopSwitch } from './stop-switch.ts';

export interface CallOwnerOptions {
  /** Its turn among the work of its workflow: the lowest goes first. Default 0. */
  readonly turn?: number;
  readonly ending?: 'cancelled' | 'expired' | undefined;
  /** Absent: a document may cost what it takes. */
  readonly documentBudget?: DocumentBudget;
}

/**
 * Whoever asks a model: a slice, an evaluation run, a probe. It says in whose name a call is made (money and fence), keeps
 * what was paid for so far, knows whether new calls may begin, and counts what became of the replies.
 */
export class CallOwner extends StopSwitch {
  static #begun = 0;
  readonly turn: number;
  /** In which order this process began them: the first ends first. */
  readonly order = CallOwner.#begun++;
  readonly claim: SliceClaim;
  /** Paid replies by call key: those found at the start and those bought since. */
  readonly journal: Map<string, JournalEntry>;
  /** Set where the batch is being ended: no new calls, only replies that are paid for. */
  readonly ending: 'cancelled' | 'expired' | undefined;
  readonly documentBudget: DocumentBudget | undefined;
  /** The last tier is not asked any more: a limit is near and the workflow says so. */
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
  /** Failed calls that were made again, by the kind of failure. */
  readonly retries = new Map<string, number>();
  readonly #rejected = new Set<JournalEntry>();
  #hasBegun = false;

  constructor(claim: SliceClaim, journal: ReadonlyMap<string, JournalEntry>, options: CallOwnerOptions = {}) {
    super();
    this.turn = options.turn ?? 0;
    this.claim = claim;
    this.journal = new Map(journal);
    this.ending = options.ending;
    this.documentBudget = options.documentBudget;
  }

  /** Whether anything would be lost, or called back, if its work stopped now. */
  get hasBegun(): boolean {
    return this.#hasBegun || this.journal.size > 0;
  }

  /** From now on it has: a call leaves, or the built-in model reads its documents. */
  begin(): void {
    this.#hasBegun = true;
  }

  /**
   * Counts a reply that was not taken.
   *
   * @param paid what was paid for it; equal documents share a reply, and it is counted once
   */
  countRejection(code: string, paid: readonly JournalEntry[] = []): void {
    add(this.rejections, code, 1);
    for (const entry of paid) {
      if (this.#rejected.has(entry)) continue;
      this.#rejected.add(entry);
      add(this.rejectionCosts, code, entry.cost);
    }
  }

  countRetry(failure: string): void {
    add(this.retries, failure, 1);
  }

  countRedactions(counts: ReadonlyMap<string, number>): void {
    for (const [rule, count] of counts) add(this.redactions, rule, count);
  }
}

function add(sums: Map<string, number>, key: string, amount: number): void {
  sums.set(key, (sums.get(key) ?? 0) + amount);
}
