import { setTimeout as delay } from 'node:timers/promises';
import type { App } from '../app.ts';
import { type BatchStatus, batchStatus } from '../batches/batch-status.ts';
import { NightmillError } from '../errors.ts';
import { batchTimezones, drainAtOf } from './batch-timezones.ts';
import { Progress } from './progress.ts';

const POLL_MS = 250;
const ENDED: ReadonlySet<string> = new Set(['completed', 'cancelled', 'expired', 'failed']);

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
  const progress = new Progress(process.stderr, () => app.clock.monotonic());
  try {
    for (;;) {
      const status = await readStatus(app, batchId);
      if (!options.quiet) progress.show(status);
      if (ENDED.has(status.state)) return { end: 'ended', status };
      if (status.breaker.hold !== undefined && options.isHeld(status)) return { end: 'held', status };
      if (options.signal.aborted) return { end: 'interrupted', status };
      await delay(POLL_MS, undefined, { signal: options.signal }).catch(() => {});
    }
  } finally {
    progress.end();
  }
}

export async function readStatus(app: App, batchId: string): Promise<BatchStatus> {
  const batch = await app.batches.get(batchId);
  if (batch === undefined) throw unknownBatch(batchId);
  return await batchStatus(
    app.breaker,
    batch,
    batchTimezones(app.config, batch.workflow),
    drainAtOf(app.config, batch.workflow),
  );
}

export function unknownBatch(batchId: string): NightmillError {
  return new NightmillError(
    'batch_unknown',
    `There is no batch ${JSON.stringify(batchId)} here. nightmill status lists those there are.`,
  );
}

/** Exit code of a batch that has ended. */
export function exitCodeOf(status: BatchStatus): number {
  if (status.state === 'cancelled' || status.state === 'expired') return 5;
  if (status.state !== 'completed') return 1;
  return status.documents.succeeded === status.documents.total ? 0 : 4;
}
