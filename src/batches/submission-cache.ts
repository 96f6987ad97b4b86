import { NightmillError } from '../errors.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { storeKeys } from '../store/store-keys.ts';
import type { BatchSubmission } from './batch-submission.ts';

/** Submissions never change, and a worker meets the same few again and again. */
export function submissionCache(store: ObjectStore): (batchId: string) => Promise<BatchSubmission> {
  const kept = 32;
  const cache = new Map<string, BatchSubmission>();
  return async (batchId) => {
    const known = cache.get(batchId);
    if (known !== undefined) return known;
    const key = storeKeys.submission(batchId);
    const bytes = await store.get(key);
    if (bytes === undefined) {
      throw new NightmillError(
        'internal',
        `The object ${key} is missing from ${store.url}. Do all workers use the same store?`,
      );
    }
    const submission = JSON.parse(Buffer.from(bytes).toString()) as BatchSubmission;
    if (cache.size >= kept) cache.delete(cache.keys().next().value ?? '');
    cache.set(batchId, submission);
    return submission;
  };
}
