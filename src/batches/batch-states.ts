import type { BatchRecord, StoredBatchState } from './batch-registry.ts';

/** Every state that is shown; `paused` is a queued or running batch that is held. */
export type BatchState = StoredBatchState | 'paused';

const ENDED: ReadonlySet<BatchState> = new Set(['completed', 'cancelled', 'expired', 'failed']);
const WITH_MANIFEST: ReadonlySet<BatchState> = new Set(['completed', 'cancelled', 'expired']);
const WORKING: ReadonlySet<BatchState> = new Set(['queued', 'running']);

/** Nothing will change any more. */
export function hasEnded(state: BatchState): boolean {
  return ENDED.has(state);
}

/** Its manifest and files are in the store. */
export function hasManifest(state: BatchState): boolean {
  return WITH_MANIFEST.has(state);
}

/** Its slices are worked on, or wait for it. */
export function isWorking(state: BatchState): boolean {
  return WORKING.has(state);
}

/** How a batch with such rows has ended: one with documents that were given up is not complete. */
export function endedAs({ cancelled, expired }: BatchRecord['outcomes']): 'completed' | 'cancelled' | 'expired' {
  if (cancelled > 0) return 'cancelled';
  return expired > 0 ? 'expired' : 'completed';
}

/** How it ends before all is done: as somebody has begun to end it, or because its time is over; undefined: it does not. */
export function earlyEndOf(
  { state, expiresAt, ending }: BatchRecord,
  now: number,
): 'cancelled' | 'expired' | undefined {
  if (!isWorking(state)) return undefined;
  return ending ?? (expiresAt !== undefined && expiresAt <= now ? 'expired' : undefined);
}

export const BATCH_STATES: readonly BatchState[] = [
  'ingesting',
  'queued',
  'running',
  'paused',
  'finalizing',
  'completed',
  'cancelled',
  'expired',
  'failed',
];
