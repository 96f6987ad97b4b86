import type { BatchRecord } from '../batches/batch-registry.ts';
import { NightmillError } from '../errors.ts';

/** The rows of a slice are committed, and not in the store. */
export class MissingPartError extends NightmillError {
  constructor(key: string, store: string) {
    super('internal', `The committed object ${key} is missing from ${store}. Was it deleted?`);
    this.name = 'MissingPartError';
  }
}

/** Retryable: the next try sees whether the batch has ended. */
export function lostCommit({ batchId }: BatchRecord): NightmillError {
  return new NightmillError('internal', `A commit of batch ${batchId} is missing while its files are written`, {
    retryable: true,
  });
}
