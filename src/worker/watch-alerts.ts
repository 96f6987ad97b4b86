import { setTimeout as delay } from 'node:timers/promises';
import type { App } from '../app.ts';

const LOOK_EVERY_MS = 5_000;

/**
 * Sends what is due from a process that does not work itself, so that someone says so where no worker is alive. Workers
 * do it beside their work.
 */
export async function watchAlerts(app: App, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await app.housekeeping.checkAlerts(await app.batches.listOpen());
    } catch (error) {
      app.log.warn('housekeeping:failed', { message: (error as Error).message });
    }
    await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
  }
}
