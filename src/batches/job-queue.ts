import type { FinalizeJob } from '../../jobs/finalize-batch.ts';
import type { SliceJob } from '../../jobs/process-slice.ts';
import type { FairShare } from './fair-share.ts';

/** `delayed`: a try has failed for a passing reason, and the next one waits for its time. */
export const JOB_STATES = ['waiting', 'active', 'delayed', 'failed'] as const;
export type JobState = (typeof JOB_STATES)[number];

export interface QueueState {
  readonly counts: Readonly<Record<JobState, number>>;
  readonly paused: boolean;
}

/** A job as it stands in its queue: ids and times, no documents. Times are milliseconds since the epoch. */
export interface QueuedJob {
  readonly batch: string;
  /** Absent: the last step of a batch. */
  readonly slice?: number;
  readonly addedAt: number;
  /** When the last try began; absent: there was none. */
  readonly startedAt?: number;
  /** Tries that have failed. */
  readonly failures: number;
  /** Why the last of them failed. */
  readonly reason?: string;
}

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
  /** @param queue a workflow, or `FINALIZE_QUEUE_NAME` */
  stateOf(queue: string): Promise<QueueState>;
  /** At most `most` jobs in this state, those whose turn is next first. */
  jobsOf(queue: string, state: JobState, most: number): Promise<readonly QueuedJob[]>;
  /**
   * Lets jobs be tried now that wait for a time after `latest`, in milliseconds since the epoch.
   *
   * @returns how many there were
   */
  promoteAfter(queue: string, latest: number): Promise<number>;
  close(): Promise<void>;
}
