import type { Job, JobType, Queue } from 'bullmq';
import {
  FINALIZE_JOB_NAME,
  FINALIZE_JOB_OPTIONS,
  FINALIZE_QUEUE_NAME,
  type FinalizeJob,
  finalizeJobId,
} from '../../../jobs/finalize-batch.ts';
import {
  SLICE_JOB_NAME,
  SLICE_JOB_OPTIONS,
  type SliceJob,
  sliceJobId,
  sliceQueueName,
} from '../../../jobs/process-slice.ts';
import { type FairShare, priorityAt } from '../../batches/fair-share.ts';
import type { JobQueue, JobState, QueuedJob, QueueState } from '../../batches/job-queue.ts';
import { NightmillError } from '../../errors.ts';
import type { FairClock } from '../redis/fair-clock.ts';
import { QueueClients, type QueueConnection } from './queue-options.ts';

const JOBS_PER_CALL = 1_000;
/** BullMQ's score of a delayed job is the millisecond of its next try times this, plus a number in the order of arrival. */
const DELAYED_PER_MS = 0x1000;
/** Slices wait by priority, last steps of batches in order. */
const TYPES: Readonly<Record<JobState, readonly JobType[]>> = {
  waiting: ['wait', 'prioritized'],
  active: ['active'],
  delayed: ['delayed'],
  failed: ['failed'],
};

export class BullmqJobQueue implements JobQueue {
  readonly #clients: QueueClients;
  readonly #clock: FairClock;
  readonly #queues = new Map<string, Queue>();
  #closed = false;

  constructor(connection: QueueConnection, clock: FairClock) {
    this.#clients = new QueueClients(connection);
    this.#clock = clock;
  }

  async #queue(name: string): Promise<Queue> {
    // It takes 25 MB and a fifth of a second, which commands that queue nothing need not pay.
    const { Queue } = await import('bullmq');
    if (this.#closed)
      throw new NightmillError('internal', 'Cannot use the job queue: it was closed. Open another one.');
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = new Queue(name, this.#clients.queue());
      // Connection trouble shows in the command that meets it; without a listener it would end the process.
      queue.on('error', () => {});
      this.#queues.set(name, queue);
    }
    return queue;
  }

  async enqueueSlices(workflow: string, jobs: readonly SliceJob[], share: FairShare): Promise<void> {
    const queue = await this.#queue(sliceQueueName(workflow));
    for (let from = 0; from < jobs.length; from += JOBS_PER_CALL) {
      await this.#addSlices(workflow, queue, jobs.slice(from, from + JOBS_PER_CALL), share);
    }
  }

  async #addSlices(workflow: string, queue: Queue, jobs: readonly SliceJob[], share: FairShare): Promise<void> {
    const keys = {
      prioritized: queue.toKey('prioritized'),
      active: queue.toKey('active'),
      delayed: queue.toKey('delayed'),
    };
    const jobKeys = jobs.map((job) => queue.toKey(sliceJobId(job)));
    await using turns = await this.#clock.reserve(workflow, share, keys, jobKeys);
    await queue.addBulk(
      jobs.map((job, index) => ({
        name: SLICE_JOB_NAME,
        data: job,
        opts: { ...SLICE_JOB_OPTIONS, jobId: sliceJobId(job), priority: priorityAt(turns.ends[index] ?? 0) },
      })),
    );
  }

  async enqueueFinalize(job: FinalizeJob): Promise<void> {
    const queue = await this.#queue(FINALIZE_QUEUE_NAME);
    await queue.add(FINALIZE_JOB_NAME, job, {
      ...FINALIZE_JOB_OPTIONS,
      jobId: finalizeJobId(job),
    });
  }

  async pause(workflow: string): Promise<void> {
    await (await this.#queue(sliceQueueName(workflow))).pause();
  }

  async resume(workflow: string): Promise<void> {
    await (await this.#queue(sliceQueueName(workflow))).resume();
  }

  async isPaused(workflow: string): Promise<boolean> {
    return await (await this.#queue(sliceQueueName(workflow))).isPaused();
  }

  async pendingCount(workflow: string): Promise<number> {
    const queue = await this.#queue(sliceQueueName(workflow));
    const counts = await queue.getJobCounts();
    const { wait = 0, waiting = 0, active = 0, delayed = 0, prioritized = 0, paused = 0 } = counts;
    return wait + waiting + active + delayed + prioritized + paused;
  }

  async stateOf(name: string): Promise<QueueState> {
    const queue = await this.#queue(sliceQueueName(name));
    const [paused, counts] = await Promise.all([
      queue.isPaused(),
      queue.getJobCounts('wait', 'prioritized', 'active', 'delayed', 'failed'),
    ]);
    const { wait = 0, prioritized = 0, active = 0, delayed = 0, failed = 0 } = counts;
    return { counts: { waiting: wait + prioritized, active, delayed, failed }, paused };
  }

  async jobsOf(name: string, state: JobState, most: number): Promise<readonly QueuedJob[]> {
    const queue = await this.#queue(sliceQueueName(name));
    const jobs = await queue.getJobs([...TYPES[state]], 0, most - 1, true);
    // One that ends between the two looks at it is gone.
    return jobs.filter((job) => job !== undefined).map(queuedJob);
  }

  async promoteAfter(name: string, latest: number): Promise<number> {
    const queue = await this.#queue(sliceQueueName(name));
    const client = this.#clients.shared;
    const range = [queue.toKey('delayed'), latest * DELAYED_PER_MS, '+inf', 'LIMIT', 0, JOBS_PER_CALL] as const;
    const ids = (await client?.zrangebyscore(...range)) ?? [];
    let promoted = 0;
    for (const id of ids) {
      const job = await queue.getJob(id);
      if (job === undefined) continue;
      promoted += await promote(job);
    }
    return promoted;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
    this.#queues.clear();
    this.#clients[Symbol.dispose]();
  }
}

/** 0 where somebody else has moved it meanwhile. */
async function promote(job: Job): Promise<number> {
  try {
    await job.promote();
    return 1;
  } catch (error) {
    if (await job.isDelayed()) throw error;
    return 0;
  }
}

function queuedJob({ data, timestamp, processedOn, attemptsMade, failedReason }: Job<Partial<SliceJob>>): QueuedJob {
  return {
    batch: data.batch ?? '',
    ...(data.slice === undefined ? {} : { slice: data.slice }),
    addedAt: timestamp,
    ...(processedOn === undefined ? {} : { startedAt: processedOn }),
    failures: attemptsMade,
    ...(failedReason === undefined ? {} : { reason: failedReason }),
  };
}
