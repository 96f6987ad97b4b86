import type { Scope } from '../ledger/scope.ts';
import type { NanoUsd } from '../money/money.ts';
import type { SliceCommit } from './slice-commit.ts';
import type { StoredRecord } from './write-record.ts';

/** A hash of the server, by its key without the prefix. */
export type Hashes = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** What is kept of the server's memory besides what stands in the store anyway. No document text, no replies. */
export interface CheckpointData {
  /** Limits, pauses, keys, schedules, open batches, histories. */
  readonly hashes: Hashes;
  readonly scopes: readonly SpentScope[];
}

/** A scope's money in one period, in nano-dollars. */
export interface SpentScope extends Scope {
  readonly settled: NanoUsd;
  readonly uncertain: NanoUsd;
  readonly held: NanoUsd;
}

export interface RestoredBatch {
  readonly record: StoredRecord;
  readonly state: 'queued' | 'running' | 'completed' | 'cancelled' | 'expired';
  readonly finishedAt?: number;
  readonly outcomes: SliceCommit['outcomes'];
  /** Fields of its hash that no store has: pauses, an ending. */
  readonly fields: Readonly<Record<string, string>>;
  readonly commits: ReadonlyMap<number, SliceCommit>;
  /** Slice to the highest fence token that any owner of it had. */
  readonly tokens: ReadonlyMap<number, number>;
  readonly settled: NanoUsd;
  readonly uncertain: NanoUsd;
  /** Call id to JSON, as the server lists them. */
  readonly uncertainCalls: Readonly<Record<string, string>>;
}

/** The part of the server's memory that is kept in the store and given back to a server that has lost it. */
export interface ClusterMemory {
  /** Which memory this is: made once, and kept with every checkpoint. Undefined: a new server, or one that lost everything. */
  identity(): Promise<string | undefined>;
  /** False where it has another one by now. */
  identify(identity: string): Promise<boolean>;
  /** True for one process in each `milliseconds`. */
  takeTurn(what: string, milliseconds: number): Promise<boolean>;
  /** A small fact about the cluster by its name, as text; undefined: none was noted. */
  noted(name: string): Promise<string | undefined>;
  note(name: string, value: string): Promise<void>;
  read(what: {
    readonly batches: readonly string[];
    readonly workflows: readonly string[];
    readonly scopes: readonly Scope[];
  }): Promise<CheckpointData>;
  /** Gives back hashes whose key the server does not have. */
  restoreHashes(hashes: Hashes): Promise<void>;
  /** Books spending of before the loss in a scope, once for each `reason`. */
  book(scope: Scope, reason: string, settled: NanoUsd, uncertain: NanoUsd): Promise<void>;
  /** False where the server knows it. */
  restoreBatch(batch: RestoredBatch): Promise<boolean>;
}
