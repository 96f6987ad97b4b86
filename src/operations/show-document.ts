import type { App } from '../app.ts';
import type { BatchRecord } from '../batches/batch-registry.ts';
import { hasManifest } from '../batches/batch-states.ts';
import { readSlice } from '../batches/read-slice.ts';
import type { SliceEntry } from '../batches/slice-entry.ts';
import { NightmillError } from '../errors.ts';
import type { ResultFile } from '../results/result-files.ts';
import { requireBatch } from './read-status.ts';
import { type RowKind, readFileRows, rowFiles } from './results.ts';

/** All that is known of one document of a batch. */
export interface ShownDocument {
  readonly batch: string;
  readonly id: string;
  /** What it is asked in; its place in input order is in there. */
  readonly slice: number;
  /** `open`: it has no row yet. */
  readonly state: 'open' | 'succeeded' | 'failed' | 'cancelled' | 'expired' | 'skipped';
  /** As it was submitted; null: the line could not be read, and its row says why. */
  readonly document: {
    readonly text: string;
    readonly metadata?: Readonly<Record<string, unknown>>;
    readonly warnings?: readonly string[];
    /** Tokens of the text, as they were counted when it was submitted. */
    readonly tokens: number;
  } | null;
  /** Its line of `results.jsonl` or `errors.jsonl`: answer, attempts, calls, cost. Null while it has none. */
  readonly row: Readonly<Record<string, unknown>> | null;
}

const MAX_CONCURRENT_SLICES = 8;

/**
 * Finds a document by its id. What it takes grows with the batch: slices are read until one has it.
 *
 * @throws {NightmillError} `batch_unknown`; `document_unknown`
 */
export async function showDocument(app: App, batchId: string, documentId: string): Promise<ShownDocument> {
  const batch = await requireBatch(app, batchId);
  const found = await findEntry(app, batch, documentId);
  if (found === undefined) {
    throw new NightmillError(
      'document_unknown',
      `Batch ${batchId} has no document ${JSON.stringify(documentId.slice(0, 200))} among its ${batch.documents}.`,
    );
  }
  const { entry, slice } = found;
  const row = await findRow(app, batch, slice, documentId);
  return {
    batch: batchId,
    id: documentId,
    slice,
    state: (row?.['status'] as ShownDocument['state'] | undefined) ?? 'open',
    document: entry.kind === 'skipped' ? null : { ...withoutId(entry.document), tokens: entry.tokens },
    row: row ?? null,
  };
}

function withoutId({ id: _, ...document }: Extract<SliceEntry, { kind: 'document' }>['document']) {
  return document;
}

async function findEntry(
  app: App,
  { batchId, slices }: BatchRecord,
  id: string,
): Promise<{ readonly entry: SliceEntry; readonly slice: number } | undefined> {
  const idOf = (entry: SliceEntry) => (entry.kind === 'document' ? entry.document.id : entry.skipped.id);
  for (let from = 0; from < slices; from += MAX_CONCURRENT_SLICES) {
    const count = Math.min(MAX_CONCURRENT_SLICES, slices - from);
    const read = await Promise.all(Array.from({ length: count }, (_, at) => readSlice(app.store, batchId, from + at)));
    for (const [at, entries] of read.entries()) {
      const entry = entries.find((one) => idOf(one) === id);
      if (entry !== undefined) return { entry, slice: from + at };
    }
  }
  return undefined;
}

/** After the end, in the batch's files, where retries have their rows too; before, in those of its slice. */
async function findRow(
  app: App,
  batch: BatchRecord,
  slice: number,
  id: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const ended = hasManifest(batch.state);
  const commit = ended ? undefined : await app.batches.commitOf(batch.batchId, slice);
  for (const kind of ['results', 'errors'] as const satisfies readonly RowKind[]) {
    const own = commit?.[kind];
    const files: readonly ResultFile[] = ended
      ? await rowFiles(app, batch.batchId, kind)
      : own === undefined
        ? []
        : [own];
    for await (const row of readFileRows(app, files)) {
      if ((row as { readonly id?: unknown }).id === id) return row as Readonly<Record<string, unknown>>;
    }
  }
  return undefined;
}
