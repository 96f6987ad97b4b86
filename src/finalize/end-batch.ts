import type { BatchRecord, BatchRegistry } from '../batches/batch-registry.ts';
import { isWorking } from '../batches/batch-states.ts';
import type { DigestAsking } from '../digests/make-digest.ts';
import { type ProcessSliceContext, processSlice } from '../slices/process-slice.ts';
import { type FinalizeContext, finalizeBatch } from './finalize-batch.ts';

export interface EndBatchContext {
  readonly batches: BatchRegistry;
  readonly slices: ProcessSliceContext;
  readonly finalize: FinalizeContext;
  /** For the digest of a batch that has not been ended early. Absent: without a text. */
  readonly asking?: DigestAsking;
  /** Books what dead workers held, so that the end need not wait for them forever. */
  readonly reap: () => Promise<number>;
}

/** The parts of an app that it takes to end a batch. */
export function endContextOf(
  app: Omit<EndBatchContext, 'reap'> & { readonly ledger: { reapDeadWorkers(): Promise<number> } },
): EndBatchContext {
  const { batches, slices, finalize, ledger } = app;
  return { batches, slices, finalize, reap: () => ledger.reapDeadWorkers() };
}

const POLL_MS = 250;

/**
 * Ends a batch before its time, with full books: slices are taken from whoever works on them (who can then neither
 * commit nor spend), documents whose replies are paid for get their result, all others an error row, and the batch
 * gets its manifest. Needs no worker.
 */
export async function endBatch(
  context: EndBatchContext,
  batch: BatchRecord,
  ending: 'cancelled' | 'expired',
): Promise<void> {
  const { batchId } = batch;
  await endSlices(context, batch, ending);
  while (!(await finalizeBatch(context.finalize, batchId))) {
    // Calls of the former owners are still in flight; their money is booked when they settle or their lease ends.
    await context.slices.clock.sleep(POLL_MS);
    await context.reap();
    // A server that has come back without its last second may have forgotten that the batch ends, and slices of it.
    const now = await context.batches.get(batchId);
    if (now !== undefined && isWorking(now.state) && (now.ending === undefined || now.slicesCommitted < now.slices))
      await endSlices(context, batch, ending);
  }
}

async function endSlices(
  { batches, slices }: EndBatchContext,
  batch: BatchRecord,
  ending: 'cancelled' | 'expired',
): Promise<void> {
  const { batchId } = batch;
  await batches.markEnding(batchId, ending);
  let slice = 0;
  for await (const commit of batches.commits(batchId, batch.slices)) {
    if (commit === undefined) await processSlice(slices, { batch: batchId, slice }, ending);
    slice += 1;
  }
}
