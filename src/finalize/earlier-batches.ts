import type { BatchRecord, BatchRegistry } from '../batches/batch-registry.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { storeKeys } from '../store/store-keys.ts';
import type { Manifest } from './manifest.ts';
import { readManifest } from './read-manifest.ts';

const BATCHES_PER_READ = 200;

/**
 * Other batches of a batch's workflow, those submitted last first. Retries, whose documents belong to another night, and trials are left out.
 *
 * @param most of all workflows' batches, to be looked through
 */
export async function* earlierBatches(
  batches: Pick<BatchRegistry, 'list'>,
  { batchId, workflow }: BatchRecord,
  most: number,
): AsyncGenerator<BatchRecord> {
  for (let from = 0; from < most; from += BATCHES_PER_READ) {
    const found = await batches.list(Math.min(BATCHES_PER_READ, most - from), from);
    for (const other of found) {
      if (
        other.workflow === workflow &&
        other.batchId !== batchId &&
        other.retryOf === undefined &&
        other.isTrial !== true
      )
        yield other;
    }
    if (found.length < BATCHES_PER_READ) return;
  }
}

/** Undefined: it has none, or no longer. */
export async function manifestOf(
  store: Pick<ObjectStore, 'get'>,
  { batchId }: Pick<BatchRecord, 'batchId'>,
): Promise<Manifest | undefined> {
  const bytes = await store.get(storeKeys.manifest(batchId));
  return bytes === undefined ? undefined : readManifest(Buffer.from(bytes).toString(), () => true);
}
