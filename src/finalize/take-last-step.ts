import { earlyEndOf } from '../batches/batch-states.ts';
import { type EndBatchContext, endBatch } from './end-batch.ts';
import { finalizeBatch } from './finalize-batch.ts';

/**
 * The last step of a batch: its final files, where every slice is committed, or its end with what is done, where its
 * time is over or whoever was ending it has stopped.
 *
 * @returns false where slices or calls are still under way
 */
export async function takeLastStep(context: EndBatchContext, batchId: string): Promise<boolean> {
  const { clock, log } = context.finalize;
  const batch = await context.batches.get(batchId);
  const isOpen = batch !== undefined && batch.slicesCommitted < batch.slices;
  const ending = isOpen ? earlyEndOf(batch, clock.now()) : undefined;
  if (!isOpen || ending === undefined) {
    return await finalizeBatch({ ...context.finalize, asking: context.asking }, batchId);
  }
  if (batch.ending === undefined) log.warn('batch:expired', { batch: batchId, expiresAt: batch.expiresAt });
  else log.warn('batch:taken_over', { batch: batchId, ending });
  await endBatch(context, batch, ending);
  return true;
}
