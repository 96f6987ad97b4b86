import { setTimeout as delay } from 'node:timers/promises';
import type { App } from '../app.ts';
import { hasEnded } from '../batches/batch-states.ts';
import type { BatchStatus } from '../batches/batch-status.ts';
import { readStatus } from './read-status.ts';

const POLL_MS = 250;

/**
 * A batch's status again and again, the first at once and the last when it has ended or `signal` is aborted.
 *
 * @param pollMs pause between two looks, in milliseconds; default 250
 */
export async function* watchBatch(
  app: App,
  batchId: string,
  { signal, pollMs = POLL_MS }: { readonly signal?: AbortSignal | undefined; readonly pollMs?: number } = {},
): AsyncGenerator<BatchStatus, void, undefined> {
  for (;;) {
    const status = await readStatus(app, batchId);
    yield status;
    if (hasEnded(status.state) || signal?.aborted === true) return;
    await delay(pollMs, undefined, signal === undefined ? {} : { signal }).catch(() => {});
  }
}
