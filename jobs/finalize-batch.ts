import { z } from 'zod';

/** All slices of a batch are committed: write its files and its manifest. */
export const finalizeJobSchema = z.object({ batch: z.string() });

export type FinalizeJob = z.infer<typeof finalizeJobSchema>;

export const FINALIZE_JOB_NAME = 'finalize-batch';

/** Not a workflow's queue, so that a paused workflow can still finish a batch. Workflow names hold no dot. */
export const FINALIZE_QUEUE_NAME = 'nightmill.finalize';

export function finalizeJobId({ batch }: FinalizeJob): string {
  return `${batch}.finalize`;
}

export const FINALIZE_JOB_OPTIONS = {
  attempts: 1_000,
  backoff: { type: 'fixed', delay: 1_000 },
  removeOnComplete: true,
  removeOnFail: true,
} as const;
