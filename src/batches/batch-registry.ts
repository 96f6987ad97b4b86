import type { Pause } from '../ledger/pause.ts';
import type { BatchOwner } from '../ledger/scope.ts';
import type { NanoUsd } from '../money/money.ts';
import type { SliceCommit } from './slice-commit.ts';

/** States that are stored. `paused` is seen, not stored: a running batch whose workflow or itself is held. */
export type StoredBatchState =
  | 'ingesting'
  | 'queued'
  | 'running'
  | 'finalizing'
  | 'completed'
  | 'cancelled'
  | 'expired'
  | 'failed';

export type DocumentOutcome = 'succeeded' | 'failed' | 'cancelled' | 'expired' | 'skipped';

export type RemovedPart = 'inputs' | 'results';

export interface BatchRecord extends BatchOwner {
  readonly state: StoredBatchState;
  /** Which plan of the workflow its tenant has. */
  readonly plan?: string;
  readonly priority: number;
  /** When it should be done, milliseconds since the epoch; it is not ended then. */
  readonly deadline?: number;
  /** When it ends with what is done, milliseconds since the epoch. */
  readonly expiresAt?: number;
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** The ended batch whose documents it asks again; its results are merged into that one's. */
  readonly retryOf?: string;
  /** For a retry: what had become of its documents in that batch. */
  readonly retried?: Readonly<Partial<Record<DocumentOutcome, number>>> | undefined;
  /** Retries of this batch, oldest first. */
  readonly retries: readonly string[];
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly finishedAt?: number;
  /** sha256 of the submitted content. */
  readonly contentHash: string;
  readonly sliceDocuments: number;
  readonly sliceTokens: number;
  readonly documents: number;
  readonly inputTokens: number;
  readonly slices: number;
  readonly slicesCommitted: number;
  readonly outcomes: Readonly<Record<DocumentOutcome, number>>;
  /** Why the batch alone is held (its own limit, its model, an operator), the oldest first. */
  readonly pauses: readonly Pause[];
  /** The one of {@link pauses} to name first. */
  readonly pause?: Pause;
  /** Neither retention nor a person removes it. */
  readonly kept?: boolean;
  /** What retention has removed of it. */
  readonly removed?: readonly RemovedPart[];
  /** Another cascade answers it than the workflow's, to see how that does: it says nothing about the workflow. */
  readonly isTrial?: boolean;
  /** The batch is being ended early: documents without an answer get this status. */
  readonly ending?: 'cancelled' | 'expired';
}

export type SliceClaimResult =
  | { readonly kind: 'owned'; readonly token: string }
  | { readonly kind: 'done' }
  | { readonly kind: 'gone' };

export type CommitResult =
  | { readonly kind: 'committed'; readonly slicesLeft: number }
  | { readonly kind: 'fenced' }
  | { readonly kind: 'journal_changed' };

export type SealResult =
  | { readonly kind: 'sealed' }
  | { readonly kind: 'slices_left' | 'calls_open'; readonly count: number }
  | { readonly kind: 'gone'; readonly state: StoredBatchState };

/** What is known of a batch before any of its documents is stored; nothing in it changes afterwards. */
export type NewBatch = Pick<
  BatchRecord,
  | 'batchId'
  | 'workflow'
  | 'tenant'
  | 'plan'
  | 'priority'
  | 'deadline'
  | 'expiresAt'
  | 'name'
  | 'labels'
  | 'retryOf'
  | 'retried'
  | 'isTrial'
  | 'createdAt'
  | 'contentHash'
  | 'sliceDocuments'
  | 'sliceTokens'
>;

/** What the cluster knows about batches and their slices. */
/** What became of a batch's documents once a retry of it has ended. */
export interface Recount {
  readonly batchId: string;
  readonly outcomes: Readonly<Record<DocumentOutcome, number>>;
  readonly state: 'completed' | 'cancelled' | 'expired';
}

/** What is done in slices that are not committed. */
export interface SliceProgress {
  /** Documents that are finished. */
  readonly documents: number;
  /** What documents that are not finished have cost. */
  readonly begun: NanoUsd;
}

export interface BatchRegistry {
  get(batchId: string): Promise<BatchRecord | undefined>;
  /** Newest first. `from`: how many of the newest to leave out. */
  list(limit: number, from?: number): Promise<readonly BatchRecord[]>;
  /** Batches that are not ended, oldest first. */
  listOpen(): Promise<readonly BatchRecord[]>;
  /** Registers a batch as `ingesting`; false where the id exists already. */
  create(batch: NewBatch): Promise<boolean>;
  /** Notes for a few seconds that a worker cannot work on a batch: a condition of the worker, not of the batch. */
  noteUnable(batchId: string, worker: string, why: string): Promise<void>;
  /** Workers that lately could not work on it, and why. */
  unable(batchId: string): Promise<ReadonlyMap<string, string>>;
  /** Notes a retry with its batch. */
  addRetry(batchId: string, retryId: string): Promise<void>;
  /** Removes a batch that never left `ingesting`. */
  deleteDraft(batchId: string): Promise<void>;
  /** Removes everything that is known of a batch that has ended, its journal too; its money stays in the periods' totals. */
  erase(batchId: string, slices: number): Promise<void>;
  keep(batchId: string, keep: boolean): Promise<void>;
  noteRemoved(batchId: string, parts: readonly RemovedPart[]): Promise<void>;
  /** All slices are stored: the batch becomes `queued`. */
  queue(batchId: string, counts: { documents: number; inputTokens: number; slices: number }): Promise<void>;
  /** Keeps others from submitting the same id at the same time; false where someone else does. */
  lockSubmission(batchId: string, owner: string, milliseconds: number): Promise<boolean>;
  unlockSubmission(batchId: string, owner: string): Promise<void>;

  claimSlice(batchId: string, slice: number): Promise<SliceClaimResult>;
  commitSlice(batchId: string, slice: number, token: string, commit: SliceCommit): Promise<CommitResult>;
  /** In the order of slices; undefined for one that is not committed. */
  commits(batchId: string, slices: number): AsyncIterable<SliceCommit | undefined>;
  commitOf(batchId: string, slice: number): Promise<SliceCommit | undefined>;
  /** How far a slice is that is not committed; nothing where the slice is not the caller's. */
  reportProgress(batchId: string, slice: number, token: string, progress: SliceProgress): Promise<void>;
  /** Sum of what is reported and not committed. */
  progress(batchId: string): Promise<SliceProgress>;

  seal(batchId: string): Promise<SealResult>;
  /**
   * Ends a batch that is sealed, once; again, it changes nothing.
   *
   * @param parent where it is a retry: its batch, which counts again in the same moment
   * @returns false where the batch is not sealed (any more): a server that has come back without its last second may have
   *   forgotten that, and commits with it
   */
  finish(
    batchId: string,
    state: 'completed' | 'cancelled' | 'expired' | 'failed',
    at: number,
    parent?: Recount,
  ): Promise<boolean>;
  /** True where it was not held for this cause before. */
  pauseBatch(batchId: string, pause: Pause): Promise<boolean>;
  /** Ends one pause, or all of them; says whether there was one, and how many are left. */
  resumeBatch(batchId: string, pause?: Pause): Promise<{ readonly cleared: boolean; readonly left: number }>;
  markEnding(batchId: string, ending: 'cancelled' | 'expired'): Promise<void>;
}
