import { NightmillError } from '../errors.ts';
import { gunzip } from '../runtime/gzip.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { storeKeys } from '../store/store-keys.ts';
import { parseSliceEntry, type SliceEntry } from './slice-entry.ts';

/** The documents of a slice, in input order. */
export async function readSlice(store: ObjectStore, batchId: string, slice: number): Promise<readonly SliceEntry[]> {
  const key = storeKeys.inputSlice(batchId, slice);
  const bytes = await store.get(key);
  if (bytes === undefined) {
    throw new NightmillError('internal', `The slice object ${key} is missing from ${store.url}. Was it deleted?`);
  }
  const lines = (await gunzip(bytes)).toString().split('\n');
  return lines.filter((line) => line !== '').map(parseSliceEntry);
}
