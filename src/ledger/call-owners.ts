import type { SliceClaim } from './ledger.ts';
import type { BatchOwner, Timezones } from './scope.ts';

/** Whoever asks models without being a batch: an evaluation run, a probe. */
export interface AskingRun extends Omit<BatchOwner, 'batchId'> {
  /** Its own among such runs; letters, digits, `.`, `_` and `-`. */
  readonly id: string;
  readonly timezones: Timezones;
}

/**
 * Owners of calls beside slices. Their calls pass the same ledger, quota and fence: each has a scope of its own like a
 * batch's, named by the claim's `batchId`, and a journal, so that a run that is opened again pays nothing twice.
 */
export interface CallOwners {
  /**
   * Opens a run, or takes it over: whoever had it can neither buy nor store from now on. A run that nobody has opened for
   * a week is closed.
   */
  open(run: AskingRun): Promise<SliceClaim>;
  /**
   * Ends it: its fence, journal and own scope leave; what it cost stays booked in its workflow's and the global scopes.
   * While calls are in flight its journal alone leaves, and their replies are not kept either.
   *
   * @returns false while calls are in flight, and where it has another owner now
   */
  close(claim: SliceClaim): Promise<boolean>;
  /** Ends the run of that id, whoever has it, as far as `close` would. Nothing where there is none. */
  forget(id: string): Promise<void>;
  /**
   * A lease for holds that outlive a process, such as those of a provider's batch: stands for so long from now on.
   *
   * @returns false where it had ended before: its holds are booked as uncertain, and it stays ended
   */
  extendLease(lease: string, milliseconds: number): Promise<boolean>;
  /** Call when nothing is held under it any more. */
  endLease(lease: string): Promise<void>;
}
