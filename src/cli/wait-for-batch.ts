import type { App } from '../app.ts';
import { hasEnded } from '../batches/batch-states.ts';
import type { BatchStatus } from '../batches/batch-status.ts';
import { NightmillError } from '../errors.ts';
import { watchBatch } from '../operations/watch-batch.ts';
import { Progress } from './progress.ts';
import { screen } from './screen.ts';

export type WaitEnd = 'ended' | 'held' | 'interrupted';

/**
 * Waits until a batch has ended, showing progress.
 *
 * @param isHeld whether a pause ends the wait; asked for each status that shows one
 */
export async function waitForBatch(
  app: App,
  batchId: string,
  options: { readonly signal: AbortSignal; readonly quiet: boolean; readonly isHeld: (status: BatchStatus) => boolean },
): Promise<{ readonly end: WaitEnd; readonly status: BatchStatus }> {
  const progress = new Progress(screen, () => app.clock.monotonic());
  try {
    for await (const status of watchBatch(app, batchId, { signal: options.signal })) {
      if (!options.quiet) progress.show(status);
      if (hasEnded(status.state)) return { end: 'ended', status };
      if (status.breaker.hold !== undefined && options.isHeld(status)) return { end: 'held', status };
      if (options.signal.aborted) return { end: 'interrupted', status };
    }
    throw new NightmillError('internal', `The watch of ${batchId} ended before the batch`);
  } finally {
    progress.end();
  }
}
