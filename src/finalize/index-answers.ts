import { putAnsweredTexts } from '../batches/answered-texts.ts';
import type { BatchRecord, BatchRegistry } from '../batches/batch-registry.ts';
import type { BatchSubmission } from '../batches/batch-submission.ts';
import { readSlice } from '../batches/read-slice.ts';
import type { SliceCommit } from '../batches/slice-commit.ts';
import { gunzip } from '../runtime/gzip.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { storeKeys } from '../store/store-keys.ts';
import { TEXT_HASH_BYTES } from '../text/text-hash.ts';
import type { Manifest } from './manifest.ts';

/**
 * Stores which texts the batch has answered, for batches that come with some of them again. May be repeated. A batch
 * that was cut short is left out: its few answers are not worth the reading.
 */
export async function indexAnswers(
  { store, batches }: { readonly store: ObjectStore; readonly batches: BatchRegistry },
  batch: BatchRecord,
  submission: BatchSubmission,
  manifest: Manifest,
): Promise<void> {
  const texts = manifest.state === 'completed' ? await store.get(storeKeys.inputTexts(batch.batchId)) : undefined;
  if (texts === undefined) return;
  const answered: Uint8Array[] = [];
  let at = 0;
  let slice = 0;
  for await (const commit of batches.commits(batch.batchId, batch.slices)) {
    if (commit === undefined) return;
    const count = (commit.results?.lines ?? 0) + (commit.errors?.lines ?? 0);
    const hashes = texts.subarray(at * TEXT_HASH_BYTES, (at + count) * TEXT_HASH_BYTES);
    if (commit.errors === undefined) answered.push(hashes);
    else answered.push(...(await withoutErrors(store, batch.batchId, slice, commit.errors, hashes)));
    at += count;
    slice += 1;
  }
  const hashes = Buffer.concat(answered);
  if (hashes.every((byte) => byte === 0)) return;
  const version = {
    workflow: batch.workflow,
    configHash: submission.configHash,
    promptHash: submission.prompt.sha256,
    tenant: batch.tenant,
  };
  const { batchId, createdAt } = batch;
  await putAnsweredTexts(store, version, createdAt, { batchId, cost: manifest.cost, files: manifest.results, hashes });
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
