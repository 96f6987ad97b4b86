import { putAnsweredTexts } from '../batches/answered-texts.ts';
import type { BatchRecord, BatchRegistry } from '../batches/batch-registry.ts';
import type { BatchSubmission } from '../batches/batch-submission.ts';
import { readSlice } from '../batches/read-slice.ts';
import type { SliceCommit } from '../batches/slice-commit.ts';
import { gunzip } from '../runtime/gzip.ts';
import { PieceReader } from '../runtime/piece-reader.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { storeKeys } from '../store/store-keys.ts';
import { TEXT_HASH_BYTES } from '../text/text-hash.ts';
import { lostCommit } from './lost-commit.ts';
import type { Manifest } from './manifest.ts';

interface IndexContext {
  readonly store: ObjectStore;
  readonly batches: BatchRegistry;
}

/**
 * Stores which texts the batch has answered, for batches that come with some of them again. May be repeated. A batch
 * that was cut short is left out: its few answers are not worth the reading.
 */
export async function indexAnswers(
  context: IndexContext,
  batch: BatchRecord,
  submission: BatchSubmission,
  manifest: Manifest,
): Promise<void> {
  if (manifest.state !== 'completed') return;
  if (!(await hasSome(answeredHashes(context, batch)))) return;
  const version = {
    workflow: batch.workflow,
    configHash: submission.configHash,
    promptHash: submission.prompt.sha256,
    tenant: batch.tenant,
  };
  const { batchId, createdAt } = batch;
  const head = { batchId, cost: manifest.cost, files: manifest.results };
  await putAnsweredTexts(context.store, version, createdAt, head, answeredHashes(context, batch));
}

/** Whether a text is among them; zeros stand for one that was not paid for here. */
async function hasSome(hashes: AsyncIterable<Uint8Array>): Promise<boolean> {
  for await (const piece of hashes) if (piece.some((byte) => byte !== 0)) return true;
  return false;
}

/** The hashes of documents with a result row, by slices: those of all would be 12 MB a million. None where the batch has no hashes. */
async function* answeredHashes(
  { store, batches }: IndexContext,
  batch: BatchRecord,
): AsyncGenerator<Uint8Array, void, undefined> {
  const texts = await store.getStream(storeKeys.inputTexts(batch.batchId));
  if (texts === undefined) return;
  try {
    const bytes = new PieceReader(texts);
    let slice = 0;
    for await (const commit of batches.commits(batch.batchId, batch.slices)) {
      // Another process has ended the batch, and with that its commits are gone.
      if (commit === undefined) throw lostCommit(batch);
      const count = (commit.results?.lines ?? 0) + (commit.errors?.lines ?? 0);
      const hashes = await bytes.take(count * TEXT_HASH_BYTES);
      if (commit.errors === undefined) yield hashes;
      else yield* await withoutErrors(store, batch.batchId, slice, commit.errors, hashes);
      slice += 1;
    }
  } finally {
    texts.destroy();
  }
}

/** The hashes of a slice's documents that have a result row. */
async function withoutErrors(
  store: ObjectStore,
  batchId: string,
  slice: number,
  errors: NonNullable<SliceCommit['errors']>,
  hashes: Uint8Array,
): Promise<readonly Uint8Array[]> {
  const bytes = await store.get(errors.key);
  const lines = bytes === undefined ? [] : (await gunzip(bytes)).toString().split('\n');
  const rows = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as { id: string; status: string });
  // A skipped line is named by its place, which may be a document's id as well.
  const failed = new Set(rows.filter(({ status }) => status !== 'skipped').map(({ id }) => id));
  const entries = await readSlice(store, batchId, slice);
  return entries.flatMap((entry, position) =>
    entry.kind === 'skipped' || failed.has(entry.document.id)
      ? []
      : [hashes.subarray(position * TEXT_HASH_BYTES, (position + 1) * TEXT_HASH_BYTES)],
  );
}
