import type {
  BatchRecord,
  BatchRegistry,
  CommitResult,
  DocumentOutcome,
  Recount,
  SealResult,
  SliceClaimResult,
  SliceProgress,
} from '../../../src/batches/batch-registry.ts';
import type { SliceCommit } from '../../../src/batches/slice-commit.ts';
import { leadingPause, type Pause, pauseKey } from '../../../src/ledger/pause.ts';
import { batchScope } from '../../../src/ledger/scope.ts';
import type { MemoryBooks } from './memory-books.ts';

type Outcomes = Record<DocumentOutcome, number>;
const NONE: Outcomes = { succeeded: 0, failed: 0, cancelled: 0, expired: 0, skipped: 0 };
const ENDED: ReadonlySet<string> = new Set(['completed', 'cancelled', 'expired', 'failed']);

/** The registry's port over maps. */
export class MemoryBatchRegistry implements BatchRegistry {
  readonly #books: MemoryBooks;
  readonly #batches = new Map<string, BatchRecord>();
  readonly #commits = new Map<string, Map<number, SliceCommit>>();
  readonly #progress = new Map<string, Map<number, SliceProgress>>();
  readonly #unable = new Map<string, Map<string, string>>();
  readonly #locks = new Map<string, { readonly owner: string; readonly until: number }>();
  #tokens = 0;

  constructor(books: MemoryBooks) {
    this.#books = books;
  }

  async get(batchId: string): Promise<BatchRecord | undefined> {
    const record = this.#batches.get(batchId);
    if (record === undefined) return undefined;
    const { pause: _, ...rest } = record;
    const pause = leadingPause(rest.pauses);
    return pause === undefined ? rest : { ...rest, pause };
  }

  async list(limit: number, from = 0): Promise<readonly BatchRecord[]> {
    return (await this.#all()).sort((a, b) => b.createdAt - a.createdAt).slice(from, from + limit);
  }

  async listOpen(): Promise<readonly BatchRecord[]> {
    const open = (await this.#all()).filter(({ state }) => !ENDED.has(state));
    return open.sort((a, b) => a.createdAt - b.createdAt);
  }

  async create(batch: Parameters<BatchRegistry['create']>[0]): Promise<boolean> {
    if (this.#batches.has(batch.batchId)) return false;
    const counts = { documents: 0, inputTokens: 0, slices: 0, slicesCommitted: 0 };
    this.#batches.set(batch.batchId, {
      ...batch,
      ...counts,
      state: 'ingesting',
      retries: [],
      outcomes: NONE,
      pauses: [],
    });
    return true;
  }

  async noteUnable(batchId: string, worker: string, why: string): Promise<void> {
    this.#unable.set(batchId, new Map([...(await this.unable(batchId)), [worker, why]]));
  }

  async unable(batchId: string): Promise<ReadonlyMap<string, string>> {
    return this.#unable.get(batchId) ?? new Map();
  }

  async addRetry(batchId: string, retryId: string): Promise<void> {
    const { retries = [] } = this.#batches.get(batchId) ?? {};
    if (!retries.includes(retryId)) this.#change(batchId, { retries: [...retries, retryId] });
  }

  async deleteDraft(batchId: string): Promise<void> {
    this.#batches.delete(batchId);
  }

  async erase(batchId: string): Promise<void> {
    this.#batches.delete(batchId);
  }

  async keep(): Promise<void> {}

  async noteRemoved(): Promise<void> {}

  async queue(batchId: string, counts: { documents: number; inputTokens: number; slices: number }): Promise<void> {
    const { documents, inputTokens, slices } = counts;
    this.#change(batchId, { documents, inputTokens, slices, state: 'queued' });
  }

  async lockSubmission(batchId: string, owner: string, milliseconds: number): Promise<boolean> {
    const lock = this.#locks.get(batchId);
    if (lock !== undefined && lock.owner !== owner && lock.until > Date.now()) return false;
    this.#locks.set(batchId, { owner, until: Date.now() + milliseconds });
    return true;
  }

  async unlockSubmission(batchId: string, owner: string): Promise<void> {
    if (this.#locks.get(batchId)?.owner === owner) this.#locks.delete(batchId);
  }

  async claimSlice(batchId: string, slice: number): Promise<SliceClaimResult> {
    const state = this.#batches.get(batchId)?.state;
    if (state !== 'queued' && state !== 'running') return { kind: 'gone' };
    const fence = this.#books.fence(batchId);
    if (fence.get(slice) === 'done') return { kind: 'done' };
    this.#tokens += 1;
    const token = String(this.#tokens);
    fence.set(slice, token);
    this.#change(batchId, { state: 'running' });
    return { kind: 'owned', token };
  }

  async commitSlice(batchId: string, slice: number, token: string, commit: SliceCommit): Promise<CommitResult> {
    const record = this.#batches.get(batchId);
    const commits = this.#commits.get(batchId) ?? new Map<number, SliceCommit>();
    const json = JSON.stringify(commit);
    if (record !== undefined && JSON.stringify(commits.get(slice)) === json)
      return { kind: 'committed', slicesLeft: record.slices - record.slicesCommitted };
    const journal = this.#books.journal(batchId, slice);
    if (record === undefined || this.#books.fence(batchId).get(slice) !== token) return { kind: 'fenced' };
    if (journal.size !== commit.journalEntries) return { kind: 'journal_changed' };
    this.#commits.set(batchId, commits.set(slice, JSON.parse(json) as SliceCommit));
    this.#books.fence(batchId).set(slice, 'done');
    journal.clear();
    this.#progress.get(batchId)?.delete(slice);
    const outcomes = { ...record.outcomes };
    for (const outcome of Object.keys(NONE) as DocumentOutcome[]) outcomes[outcome] += commit.outcomes[outcome];
    const slicesCommitted = record.slicesCommitted + 1;
    this.#change(batchId, { outcomes, slicesCommitted });
    return { kind: 'committed', slicesLeft: record.slices - slicesCommitted };
  }

  async *commits(batchId: string, slices: number): AsyncIterable<SliceCommit | undefined> {
    for (let slice = 0; slice < slices; slice += 1) yield this.#commits.get(batchId)?.get(slice);
  }

  async commitOf(batchId: string, slice: number): Promise<SliceCommit | undefined> {
    return this.#commits.get(batchId)?.get(slice);
  }

  async reportProgress(batchId: string, slice: number, token: string, progress: SliceProgress): Promise<void> {
    if (this.#books.fence(batchId).get(slice) !== token) return;
    this.#progress.set(batchId, (this.#progress.get(batchId) ?? new Map<number, SliceProgress>()).set(slice, progress));
  }

  async progress(batchId: string): Promise<SliceProgress> {
    return [...(this.#progress.get(batchId)?.values() ?? [])].reduce(
      (sum, { documents, begun }) => ({ documents: sum.documents + documents, begun: sum.begun + begun }),
      { documents: 0, begun: 0 },
    );
  }

  async seal(batchId: string): Promise<SealResult> {
    const record = this.#batches.get(batchId);
    if (record?.state === 'finalizing') return { kind: 'sealed' };
    if (record?.state !== 'queued' && record?.state !== 'running')
      return { kind: 'gone', state: record?.state ?? ('unknown' as 'failed') };
    const left = record.slices - record.slicesCommitted;
    if (left > 0) return { kind: 'slices_left', count: left };
    const { open } = this.#books.totals(batchScope(batchId));
    if (open > 0) return { kind: 'calls_open', count: open };
    this.#books.fence(batchId).clear();
    this.#progress.delete(batchId);
    this.#change(batchId, { state: 'finalizing' });
    return { kind: 'sealed' };
  }

  async finish(
    batchId: string,
    state: 'completed' | 'cancelled' | 'expired' | 'failed',
    at: number,
    parent?: Recount,
  ): Promise<boolean> {
    const known = this.#batches.get(batchId)?.state;
    if (known !== 'finalizing') return known === state;
    this.#change(batchId, { state, finishedAt: at, pauses: [] });
    if (parent !== undefined) this.#change(parent.batchId, { outcomes: parent.outcomes, state: parent.state });
    this.#commits.delete(batchId);
    return true;
  }

  async pauseBatch(batchId: string, pause: Pause): Promise<boolean> {
    const { pauses = [] } = this.#batches.get(batchId) ?? {};
    if (pauses.some((known) => pauseKey(known) === pauseKey(pause))) return false;
    this.#change(batchId, { pauses: [...pauses, pause].sort((a, b) => a.since - b.since) });
    return true;
  }

  async resumeBatch(batchId: string, pause?: Pause): Promise<{ readonly cleared: boolean; readonly left: number }> {
    const { pauses = [] } = this.#batches.get(batchId) ?? {};
    const left = pause === undefined ? [] : pauses.filter((known) => pauseKey(known) !== pauseKey(pause));
    this.#change(batchId, { pauses: left });
    return { cleared: left.length < pauses.length, left: left.length };
  }

  async markEnding(batchId: string, ending: 'cancelled' | 'expired'): Promise<void> {
    this.#change(batchId, { ending });
  }

  async #all(): Promise<BatchRecord[]> {
    const records = await Promise.all([...this.#batches.keys()].map((id) => this.get(id)));
    return records.filter((record) => record !== undefined);
  }

  #change(batchId: string, change: Partial<BatchRecord>): void {
    const record = this.#batches.get(batchId);
    if (record !== undefined) this.#batches.set(batchId, { ...record, ...change });
  }
}
