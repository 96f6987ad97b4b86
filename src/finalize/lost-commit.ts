import type { BatchRecord } from '../batches/batch-registry.ts';
import { NightmillError } from '../errors.ts';

/** Retryable: the next try sees whether the batch has ended. */
export function lostCommit({ batchId }: BatchRecord): NightmillError {
  return new NightmillError('internal', `A commit of batch ${batchId} is missing while its files are written`, {
    retryable: true,
  });
}
