import type { Retention } from '../store/retention.ts';
import type { BatchRecord, RemovedPart } from './batch-registry.ts';
import { hasEnded } from './batch-states.ts';

/**
 * What retention removes of a batch now: all of it, or parts that are still there. Nothing of one that has not ended or
 * is kept; a retry leaves with its batch.
 *
 * @param retriesAreOpen one of its retries has not ended, and needs the rows that it is merged into
 */
export function decideRemoval(
  batch: Pick<BatchRecord, 'state' | 'finishedAt' | 'kept' | 'removed' | 'retryOf'>,
  { batches, inputs, results }: Retention,
  now: number,
  retriesAreOpen: boolean,
): 'batch' | readonly RemovedPart[] {
  const { state, finishedAt, kept, removed = [], retryOf } = batch;
  if (!hasEnded(state) || finishedAt === undefined || kept === true || retryOf !== undefined || retriesAreOpen)
    return [];
  const isOver = (time: number | undefined) => time !== undefined && finishedAt + time <= now;
  if (isOver(batches)) return 'batch';
  const parts: RemovedPart[] = [];
  if (isOver(inputs) && !removed.includes('inputs')) parts.push('inputs');
  if (isOver(results) && !removed.includes('results')) parts.push('results');
  return parts;
}
