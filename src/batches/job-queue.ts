import type { FinalizeJob } from '../../jobs/finalize-batch.ts';
import type { SliceJob } from '../../jobs/process-slice.ts';
import type { FairShare } from './fair-share.ts';

/** Producers' side of the queues. Enqueuing is idempotent by job id while a job waits or runs. */
export interface JobQueue {
  /** Slices take their turn by `share`; one that waits already keeps the turn it has. */
  enqueueSlices(workflow: string, jobs: readonly SliceJob[], share: FairShare): Promise<void>;
  enqueueFinalize(job: FinalizeJob): Promise<void>;
  /** No worker of the cluster takes slices of this workflow any more; those at work continue. */
  pause(workflow: string): Promise<void>;
  resume(workflow: string): Promise<void>;
  isPaused(workflow: string): Promise<boolean>;
  /** Slices of the workflow that wait or are worked on. */
  pendingCount(workflow: string): Promise<number>;
  close(): Promise<void>;
}
