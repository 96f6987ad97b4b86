import type { BatchRegistry } from '../batches/batch-registry.ts';
import { readSlice } from '../batches/read-slice.ts';
import type { PartFile } from '../batches/slice-commit.ts';
import type { EarlierAnswer } from '../batches/slice-entry.ts';
import type { TierAttempt } from '../cascades/attempt-log.ts';
import { type NanoUsd, usdToNano } from '../money/money.ts';
import type { AnswerWarning } from '../prompts/question.ts';
import { gunzip } from '../runtime/gzip.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { TaskResult } from '../tasks/result-row.ts';
import type { DocumentEnd } from './slice-rows.ts';

/** How a document of a committed slice ended, and what it cost. */
export interface CommittedEnd {
  readonly end: DocumentEnd;
  readonly cost: NanoUsd;
}

interface ParsedRow {
  readonly id: string;
  readonly status: 'succeeded' | 'failed' | 'cancelled' | 'expired' | 'skipped';
  readonly result?: TaskResult;
  readonly model?: string;
  readonly tier?: number;
  readonly prompt?: string;
  readonly warnings?: readonly AnswerWarning[];
  readonly attempts?: readonly TierAttempt[];
  readonly error?: { readonly code: string; readonly message: string };
  readonly costUsd: number;
}

/** The ends of a slice's documents by position, or undefined while it is not committed. */
export async function committedEnds(
  context: { readonly store: ObjectStore; readonly batches: BatchRegistry },
  batchId: string,
  slice: number,
): Promise<readonly (CommittedEnd | undefined)[] | undefined> {
  const commit = await context.batches.commitOf(batchId, slice);
  if (commit === undefined) return undefined;
  const [entries, results, errors] = await Promise.all([
    readSlice(context.store, batchId, slice),
    readRows(context.store, commit.results),
    readRows(context.store, commit.errors),
  ]);
  // A skipped line is named by its place, which may be a document's id as well.
  const rows = [...results, ...errors].filter(({ status }) => status !== 'skipped');
  const byId = new Map(rows.map((row) => [row.id, row]));
  return entries.map((entry) => {
    const row = entry.kind === 'document' ? byId.get(entry.document.id) : undefined;
    return row === undefined ? undefined : { end: endOf(row), cost: usdToNano(row.costUsd) };
  });
}

async function readRows(store: ObjectStore, part: PartFile | undefined): Promise<readonly ParsedRow[]> {
  const bytes = part === undefined ? undefined : await store.get(part.key);
  if (bytes === undefined) return [];
  const lines = (await gunzip(bytes)).toString().split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as ParsedRow);
}

/** The end of a document whose row stands in an earlier batch, and what that one cost. */
export function earlierEnd({ batch, row }: EarlierAnswer): CommittedEnd {
  const parsed = JSON.parse(row) as ParsedRow;
  const { attempts: _, ...end } = endOf(parsed);
  return {
    end: end.kind === 'answered' ? { ...end, answeredIn: batch } : end,
    cost: usdToNano(parsed.costUsd),
  };
}

function endOf(row: ParsedRow): DocumentEnd {
  // What they have cost is in the row that they come from.
  const attempts = row.attempts?.map(({ tier, model, label, confidence, reason }) => ({
    tier,
    model,
    ...(label === undefined ? {} : { label }),
    ...(confidence === undefined ? {} : { confidence }),
    reason,
  }));
  const noted = attempts === undefined ? {} : { attempts };
  if (row.status === 'succeeded' && row.result !== undefined) {
    const { result, model = '', tier = 0, prompt, warnings } = row;
    const answer = { result, model, tier, ...(prompt === undefined ? {} : { prompt }) };
    return { kind: 'answered', answer, ...noted, ...(warnings === undefined ? {} : { warnings }) };
  }
  const { code, message } = row.error ?? { code: 'unknown', message: '' };
  return { kind: 'error', status: row.status === 'succeeded' ? 'failed' : row.status, code, message, ...noted };
}
