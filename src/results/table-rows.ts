import type { BatchSubmission } from '../batches/batch-submission.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { storeKeys } from '../store/store-keys.ts';
import { splitLines } from '../text/split-lines.ts';
import { type Cell, ERROR_COLUMNS, errorCells, type ResultTable, resultTable } from './result-table.ts';

/** The table of a batch's rows of this kind. */
export async function tableOf(store: ObjectStore, batchId: string, kind: 'results' | 'errors'): Promise<ResultTable> {
  if (kind === 'errors') return { columns: ERROR_COLUMNS, cells: errorCells };
  // Absent where the batch's submission is gone.
  const bytes = await store.get(storeKeys.submission(batchId));
  return resultTable(
    bytes === undefined ? undefined : (JSON.parse(Buffer.from(bytes).toString()) as BatchSubmission).workflow,
  );
}

/** Cells of the lines of a JSONL file. */
export async function* tableRows(
  { cells }: Pick<ResultTable, 'cells'>,
  jsonl: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly Cell[], void, undefined> {
  for await (const lines of splitLines(jsonl, Number.POSITIVE_INFINITY)) {
    for (const raw of lines) if ('bytes' in raw) yield cells(Buffer.from(raw.bytes).toString('utf8'));
  }
}
