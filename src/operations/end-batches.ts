import type { App } from '../app.ts';
import type { BatchRecord } from '../batches/batch-registry.ts';
import { hasEnded } from '../batches/batch-states.ts';
import { endBatch, endContextOf } from '../finalize/end-batch.ts';
import { writeAudit } from './audit.ts';
import { openRetryOf, requireBatch } from './read-status.ts';

/**
 * Ends a batch now: finished and paid work is kept, the rest becomes error rows. One that has ended stays as it is.
 *
 * @returns false where it was still being submitted and is forgotten
 * @throws {NightmillError} `batch_unknown`
 */
export async function cancelBatch(app: App, batchId: string): Promise<boolean> {
  const batch = await requireBatch(app, batchId);
  if (batch.state === 'ingesting') {
    await app.batches.deleteDraft(batchId);
    await writeAudit(app, 'batch:cancel', batchId, batch.state, 'forgotten');
    return false;
  }
  const open = hasEnded(batch.state) ? await openRetryOf(app, batch) : batch;
  if (open !== undefined) {
    await endNow(app, [open], 'cancelled');
    await writeAudit(app, 'batch:cancel', batchId, open.state, 'cancelled');
  }
  return true;
}

/** Ends batches with full books, in this process. */
export async function endNow(
  app: App,
  batches: readonly BatchRecord[],
  ending: 'cancelled' | 'expired',
): Promise<void> {
  await using _lease = await app.lease.hold();
  for (const batch of batches) {
    await endBatch(endContextOf(app), batch, ending);
  }
}
