import type { BatchRecord } from './batch-registry.ts';

/** A slice is ended in milliseconds, or in seconds where the store is slow. */
const ABANDONED_AFTER_MS = 30_000;

/** Whether batches that somebody has begun to end get on: that process may have died, or lost its Redis or its store. */
export class EndingWatch {
  #seen: ReadonlyMap<string, { readonly slicesCommitted: number; readonly since: number }> = new Map();

  /**
   * @param open every batch that has not ended
   * @param now milliseconds of a clock that only grows
   * @returns ids of batches that are being ended and have not got on for half a minute
   */
  abandoned(open: readonly BatchRecord[], now: number): ReadonlySet<string> {
    const seen = new Map<string, { slicesCommitted: number; since: number }>();
    for (const { batchId, ending, slicesCommitted } of open) {
      if (ending === undefined) continue;
      const before = this.#seen.get(batchId);
      seen.set(batchId, before?.slicesCommitted === slicesCommitted ? before : { slicesCommitted, since: now });
    }
    this.#seen = seen;
    return new Set([...seen].filter(([, { since }]) => now - since >= ABANDONED_AFTER_MS).map(([batchId]) => batchId));
  }
}
