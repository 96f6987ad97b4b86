import { isExpired } from '../batches/batch-states.ts';
import { type EndBatchContext, endBatch } from './end-batch.ts';
import { finalizeBatch } from './finalize-batch.ts';

/**
 * The last step of a batch: its final files, where every slice is committed, or its end with what is done, where its
 * time is over.
 *
 * @returns false where slices or calls are still under way
 */
export async function finalizeOrExpire(context: EndBatchContext, batchId: string): Promise<boolean> {
  const batch = await context.batches.get(batchId);
  const { clock } = context.finalize;
  if (batch === undefined || !isExpired(batch, clock.now()) || batch.slicesCommitted === batch.slices) {
    return await finalizeBatch({ ...context.finalize, asking: context.asking }, batchId);
  }
  context.finalize.log.warn('batch:expired', { batch: batchId, expiresAt: batch.expiresAt });
  await endBatch(context, batch, 'expired');
  return true;
}
