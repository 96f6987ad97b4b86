import { z } from 'zod';

/** One slice of one batch: ids only, the documents are in the store. Producer and worker share this file. */
export const sliceJobSchema = z.object({
  batch: z.string(),
  slice: z.number().int().nonnegative(),
});

export type SliceJob = z.infer<typeof sliceJobSchema>;

export const SLICE_JOB_NAME = 'process-slice';

/** The same slice has the same id, so enqueuing it again while it waits changes nothing. */
export function sliceJobId({ batch, slice }: SliceJob): string {
  return `${batch}.${slice}`;
}

/** Whose slice the job of that id is; the id may have been read before its job was. */
export function batchOfSliceJob(id: string): string {
  return id.slice(0, Math.max(0, id.lastIndexOf('.')));
}

/** A workflow's queue carries its name. */
export function sliceQueueName(workflow: string): string {
  return workflow;
}

/** What a worker does with a slice whose step failed for a passing reason (store or Redis out of reach). */
export const SLICE_JOB_OPTIONS = {
  attempts: 1_000,
  backoff: { type: 'bounded-exponential', delay: 1_000 },
  removeOnComplete: true,
  removeOnFail: true,
} as const;

/** A slice waits for its next try no longer than that. */
export const LONGEST_BACKOFF_MS = 30_000;

/** Milliseconds before the next try of a slice: 1 s, 2 s, 4 s, … at most 30 s. BullMQ's own would grow to days. */
export function sliceBackoffMs(attemptsMade: number): number {
  return Math.min(SLICE_JOB_OPTIONS.backoff.delay * 2 ** (attemptsMade - 1), LONGEST_BACKOFF_MS);
}
