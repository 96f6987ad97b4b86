import type { NanoUsd } from '../money/money.ts';
import type { ModelTotals } from './model-totals.ts';

/** An object that a slice wrote: rows as gzip JSONL. */
export interface PartFile {
  readonly key: string;
  readonly lines: number;
}

/** What a committed slice is known by afterwards; small, because a batch may have a hundred thousand of them. */
export interface SliceCommit {
  /** Fence token under which it was committed. */
  readonly token: string;
  readonly results?: PartFile;
  readonly errors?: PartFile;
  readonly outcomes: Readonly<Record<'succeeded' | 'failed' | 'cancelled' | 'expired' | 'skipped', number>>;
  readonly models: readonly ModelTotals[];
  /** Sum of the costs of its rows. */
  readonly cost: NanoUsd;
  /**
   * Documents that got the answer of an equal one, calls answered from the cache, documents that an earlier batch has
   * answered (absent: none), and the money that all of this saved.
   */
  readonly reused: {
    readonly duplicates: number;
    readonly cached: number;
    readonly earlier?: number;
    readonly saved: NanoUsd;
  };
  /** Journal entries that its rows count. */
  readonly journalEntries: number;
  /** Rejection and escalation counts by code, e.g. `low_confidence`. */
  readonly rejections: Readonly<Record<string, number>>;
  /** What the rejected replies of a code cost. Absent in commits of earlier versions. */
  readonly rejectionCosts?: Readonly<Record<string, NanoUsd>>;
  /** Values hidden from providers, by rule. Absent: none. */
  readonly redactions?: Readonly<Record<string, number>>;
}
