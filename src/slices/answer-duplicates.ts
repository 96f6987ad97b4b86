import type { BatchRegistry } from '../batches/batch-registry.ts';
import type { SliceEntry } from '../batches/slice-entry.ts';
import type { SliceRun } from '../calls/slice-run.ts';
import type { NanoUsd } from '../money/money.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { type CommittedEnd, committedEnds } from './committed-ends.ts';
import type { DocumentEnd } from './slice-rows.ts';

const POLL_MS = 250;
/** The first document's slice may have been handed back behind this one: waiting longer could block the queue. */
const MAX_WAIT_MS = 60_000;

export interface DuplicateEnd {
  readonly end: DocumentEnd;
  /** What the first document with this text cost, where it is in another slice. */
  readonly saved: NanoUsd;
}

/**
 * The ends of documents whose text stands in an earlier slice, by position. They are taken from the committed rows of
 * that slice; one that is not committed in time is left out, and the document is asked for itself.
 */
export async function answersOfEarlierSlices(
  context: { readonly store: ObjectStore; readonly batches: BatchRegistry; readonly clock: Clock },
  run: SliceRun,
  entries: readonly SliceEntry[],
): Promise<ReadonlyMap<number, DuplicateEnd>> {
  const ends = new Map<number, DuplicateEnd>();
  const slices = new Map<number, Promise<readonly (CommittedEnd | undefined)[] | undefined>>();
  for (const [position, entry] of entries.entries()) {
    if (entry.kind !== 'document' || entry.duplicateOf === undefined || entry.duplicateOf.slice === run.claim.slice)
      continue;
    const { slice, position: first } = entry.duplicateOf;
    let committed = slices.get(slice);
    if (committed === undefined) {
      committed = waitForCommit(context, run, slice);
      slices.set(slice, committed);
    }
    const found = (await committed)?.[first];
    if (found !== undefined) ends.set(position, { end: found.end, saved: found.cost });
  }
  return ends;
}

async function waitForCommit(
  context: { readonly store: ObjectStore; readonly batches: BatchRegistry; readonly clock: Clock },
  run: SliceRun,
  slice: number,
): Promise<readonly (CommittedEnd | undefined)[] | undefined> {
  const until = context.clock.monotonic() + MAX_WAIT_MS;
  for (;;) {
    const ends = await committedEnds(context, run.claim.batchId, slice);
    if (ends !== undefined || run.ending !== undefined || context.clock.monotonic() >= until) return ends;
    await context.clock.sleep(POLL_MS, run.stopping);
    run.throwIfStopped();
  }
}
