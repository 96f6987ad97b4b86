import type { JournalEntry } from '../ledger/journal-entry.ts';
import type { SliceClaim } from '../ledger/ledger.ts';
import { CallOwner, type CallOwnerOptions } from './call-owner.ts';

/** A slice in this worker's hands. */
export class SliceRun extends CallOwner {
  /** Share of a limit from which the last tier is not asked any more. */
  readonly drainAt: number | undefined;

  constructor(
    claim: SliceClaim,
    journal: ReadonlyMap<string, JournalEntry>,
    options: CallOwnerOptions & { readonly drainAt?: number } = {},
  ) {
    super(claim, journal, options);
    this.drainAt = options.drainAt;
  }
}
