import type { App } from '../app.ts';
import type { BatchRecord } from '../batches/batch-registry.ts';
import { endBatch } from '../finalize/end-batch.ts';

/** Ends a batch now, with full books, in this process. The caller holds the app's lease. */
export async function cancelBatch(app: App, batch: BatchRecord): Promise<void> {
  const { batches, slices, finalize, ledger } = app;
  await endBatch({ batches, slices, finalize, reap: () => ledger.reapDeadWorkers() }, batch, 'cancelled');
}
