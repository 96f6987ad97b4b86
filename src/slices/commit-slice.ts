import type { BatchRegistry } from '../batches/batch-registry.ts';
import type { PartFile, SliceCommit } from '../batches/slice-commit.ts';
import type { SliceEntry } from '../batches/slice-entry.ts';
import type { CandidateCounts } from '../calibration/candidate-test.ts';
import type { SliceRun } from '../calls/slice-run.ts';
import { StopError } from '../calls/stop.ts';
import { NightmillError } from '../errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { gzip } from '../runtime/gzip.ts';
import type { ObjectBody, ObjectStore } from '../store/object-store.ts';
import { storeKeys } from '../store/store-keys.ts';
import { type ErrorRow, formatRow, type Row } from '../tasks/result-row.ts';
import type { DuplicateEnd } from './answer-duplicates.ts';
import { earlierEnd } from './committed-ends.ts';
import type { AuditCounts } from './drift-watch.ts';
import { sliceFacts } from './slice-facts.ts';
import { buildRows, type DocumentEnd, totalsByModel } from './slice-rows.ts';

export interface CommitContext {
  readonly store: ObjectStore;
  readonly batches: BatchRegistry;
  readonly ledger: Pick<Ledger, 'journal'>;
}

/** How the documents of a slice ended, in their order. */
export interface SliceWork {
  readonly ends: readonly DocumentEnd[];
  /** Ends taken over from other slices, by position. */
  readonly others: ReadonlyMap<number, DuplicateEnd>;
  /** Documents that the local model looked at, by the index of its tier. */
  readonly localCalls: ReadonlyMap<number, number>;
  readonly audits: AuditCounts;
  readonly compared: CandidateCounts;
  /** Where documents began, as counts by name. */
  readonly routes: Readonly<Record<string, number>>;
  /** Documents for which only the last tier was asked, because the promise of the others no longer holds. */
  readonly fallbacks: number;
}

/**
 * Writes the rows of a slice whose documents have all ended, and commits them: only then do they count.
 *
 * @returns slices of the batch that are left, and how the documents ended
 * @throws {StopError} `fenced`: another worker has taken the slice over
 */
export async function commitSlice(
  context: CommitContext,
  run: SliceRun,
  entries: readonly SliceEntry[],
  work: SliceWork,
): Promise<{ readonly slicesLeft: number; readonly outcomes: SliceCommit['outcomes'] }> {
  const { batchId, slice, token } = run.claim;
  for (;;) {
    const journal = [...run.journal.values()];
    const rows = buildRows(entries, work.ends, journal);
    const results = rows.filter((row) => row.status === 'succeeded');
    const errors = rows.filter((row) => row.status !== 'succeeded');
    const resultsFile = await packPart(storeKeys.work(batchId, slice, token, 'results'), results);
    const errorsFile = await packPart(storeKeys.work(batchId, slice, token, 'errors'), errors);
    const sliceCommit: SliceCommit = {
      token,
      ...(resultsFile === undefined ? {} : { results: resultsFile.part }),
      ...(errorsFile === undefined ? {} : { errors: errorsFile.part }),
      outcomes: countOutcomes(rows),
      models: totalsByModel(rows, journal, work.localCalls),
      cost: rows.reduce((sum, row) => sum + row.cost, 0),
      reused: countReused(run, entries, rows, work.others),
      journalEntries: journal.length,
      rejections: Object.fromEntries(run.rejections),
      ...(run.rejectionCosts.size === 0 ? {} : { rejectionCosts: Object.fromEntries(run.rejectionCosts) }),
      ...(run.retries.size === 0 ? {} : { retries: Object.fromEntries(run.retries) }),
      ...evidenceOf(work),
      ...sliceFacts(rows, journal),
      ...(run.redactions.size === 0 ? {} : { redactions: Object.fromEntries(run.redactions) }),
    };
    // First, so that a Redis that loses everything after the commit can learn of it again.
    await context.store.putAll([
      ...[resultsFile, errorsFile].flatMap((file) => (file === undefined ? [] : [file.object])),
      { key: storeKeys.commit(batchId, slice, token), body: Buffer.from(JSON.stringify(sliceCommit)) },
    ]);
    const committed = await context.batches.commitSlice(batchId, slice, token, sliceCommit);
    if (committed.kind === 'committed') return { slicesLeft: committed.slicesLeft, outcomes: sliceCommit.outcomes };
    if (committed.kind === 'fenced') throw new StopError({ kind: 'fenced' });
    // A former owner's reply arrived late and was paid for: its cost belongs to these rows.
    const stored = await context.ledger.journal(batchId, slice);
    if (stored.size < run.journal.size) {
      // Redis has forgotten replies that these rows count. They may be posted again; until then nothing is committed.
      throw new NightmillError('redis_unavailable', `Redis has forgotten replies of slice ${slice} of ${batchId}`, {
        retryable: true,
      });
    }
    for (const [key, entry] of stored) run.journal.set(key, entry);
  }
}

function evidenceOf({ audits, fallbacks, compared, routes }: SliceWork): Pick<SliceCommit, 'evidence'> {
  const counts = {
    auditedDocuments: audits.samples,
    auditDisagreements: audits.errors,
    driftFallbacks: fallbacks,
    candidateDocuments: compared.documents,
    candidateBetter: compared.better,
    candidateWorse: compared.worse,
    ...routes,
  };
  const known = Object.entries(counts).filter(([, count]) => count > 0);
  return known.length === 0 ? {} : { evidence: Object.fromEntries(known) };
}

function countReused(
  run: SliceRun,
  entries: readonly SliceEntry[],
  rows: readonly Row[],
  others: ReadonlyMap<number, DuplicateEnd>,
): SliceCommit['reused'] {
  let duplicates = 0;
  let earlier = 0;
  let { saved } = run.cached;
  for (const [index, entry] of entries.entries()) {
    if (entry.kind !== 'document') continue;
    if (entry.answered !== undefined) {
      earlier += 1;
      saved += earlierEnd(entry.answered).cost;
    }
    if (entry.duplicateOf === undefined) continue;
    const here = entry.duplicateOf.slice === run.claim.slice ? rows[entry.duplicateOf.position] : undefined;
    const other = others.get(index);
    if (here === undefined && other === undefined) continue;
    duplicates += 1;
    saved += here?.cost ?? other?.saved ?? 0;
  }
  return { duplicates, cached: run.cached.calls, ...(earlier === 0 ? {} : { earlier }), saved };
}

function countOutcomes(rows: readonly Row[]): SliceCommit['outcomes'] {
  const count = (status: ErrorRow['status'] | 'succeeded') => rows.filter((row) => row.status === status).length;
  return {
    succeeded: count('succeeded'),
    failed: count('failed'),
    cancelled: count('cancelled'),
    expired: count('expired'),
    skipped: count('skipped'),
  };
}

async function packPart(
  key: string,
  rows: readonly Row[],
): Promise<{ readonly part: PartFile; readonly object: ObjectBody } | undefined> {
  if (rows.length === 0) return undefined;
  const body = await gzip(rows.map((row) => `${formatRow(row)}\n`).join(''));
  return { part: { key, lines: rows.length }, object: { key, body } };
}
