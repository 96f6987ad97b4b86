import { addServedModels, type ServedModel, type SliceCommit } from '../batches/slice-commit.ts';
import type { JournalEntry } from '../ledger/journal-entry.ts';
import type { Row } from '../tasks/result-row.ts';

const DEAREST = 10;

/** What the manifest tells of a slice beside its money. */
export function sliceFacts(
  rows: readonly Row[],
  journal: readonly JournalEntry[],
): Pick<SliceCommit, 'labels' | 'served' | 'dearest'> {
  const labels = countLabels(rows);
  const served = addServedModels([], journal.flatMap(servedOf));
  const dearest = rows
    .flatMap(({ cost }, position) => (cost === 0 ? [] : [[position, cost] as const]))
    .sort(([, a], [, b]) => b - a)
    .slice(0, DEAREST);
  return {
    ...(labels.size === 0 ? {} : { labels: Object.fromEntries(labels) }),
    ...(served.length === 0 ? {} : { served }),
    ...(dearest.length === 0 ? {} : { dearest }),
  };
}

function countLabels(rows: readonly Row[]): ReadonlyMap<string, number> {
  const labels = new Map<string, number>();
  for (const row of rows) {
    if (row.status !== 'succeeded' || !('label' in row.result)) continue;
    labels.set(row.result.label, (labels.get(row.result.label) ?? 0) + 1);
  }
  return labels;
}

function servedOf({ model, servedId, fingerprint }: JournalEntry): readonly ServedModel[] {
  if (servedId === undefined) return [];
  return [{ model, id: servedId, ...(fingerprint === undefined ? {} : { fingerprint }), calls: 1 }];
}
