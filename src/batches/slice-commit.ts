import type { NanoUsd } from '../money/money.ts';
import type { ModelTotals } from './model-totals.ts';

/** An object that a slice wrote: rows as gzip JSONL. */
export interface PartFile {
  readonly key: string;
  readonly lines: number;
}

/** What a provider says of who has answered. */
export interface ServedModel {
  /** Its name in the config. */
  readonly model: string;
  /** The provider's id of it. */
  readonly id: string;
  readonly fingerprint?: string;
  readonly calls: number;
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
  /** Failed calls that were made again, by the kind of failure, since the slice was last taken up. Absent: none. */
  readonly retries?: Readonly<Record<string, number>>;
  /** Documents by label. Absent: the task has none, or none was given. */
  readonly labels?: Readonly<Record<string, number>>;
  /** What was compared in it, as counts by name. Absent: nothing. */
  readonly evidence?: Readonly<Record<string, number>>;
  /** Which models the providers say have answered. Absent: they do not say. */
  readonly served?: readonly ServedModel[];
  /** Its dearest documents by position in the slice, at most ten. Absent: all were free. */
  readonly dearest?: readonly (readonly [position: number, cost: NanoUsd])[];
  /** Values hidden from providers, by rule. Absent: none. */
  readonly redactions?: Readonly<Record<string, number>>;
}

/** Adds up who has answered; the order is that of the first call. */
export function addServedModels(sum: readonly ServedModel[], more: readonly ServedModel[]): readonly ServedModel[] {
  const served = new Map<string, ServedModel>();
  for (const each of [...sum, ...more]) {
    const key = JSON.stringify([each.model, each.id, each.fingerprint]);
    const known = served.get(key);
    served.set(key, known === undefined ? each : { ...known, calls: known.calls + each.calls });
  }
  return [...served.values()];
}
