import type { ObjectStore } from '../store/object-store.ts';
import { storeKeys } from '../store/store-keys.ts';
import type { BatchRecord, NewBatch } from './batch-registry.ts';

/** What Redis knows of a batch when all its slices are stored; nothing in it changes afterwards. */
export type StoredRecord = NewBatch & Pick<BatchRecord, 'documents' | 'inputTokens' | 'slices'>;

/** Kept in the store before the batch is queued, so that a Redis that has lost everything learns of it again. */
export async function writeRecord(store: ObjectStore, record: StoredRecord): Promise<void> {
  await store.put(storeKeys.record(record.batchId), Buffer.from(`${JSON.stringify(record)}\n`));
}

/** Undefined: its documents were never all stored, or an earlier version has stored them. */
export async function readRecord(store: ObjectStore, batchId: string): Promise<StoredRecord | undefined> {
  const bytes = await store.get(storeKeys.record(batchId));
  return bytes === undefined ? undefined : (JSON.parse(Buffer.from(bytes).toString()) as StoredRecord);
}
