import { Queue } from 'bullmq';
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
import type { JobQueue } from '../../ports/job-queue.ts';
import { type QueueConnection, queueOptions } from './queue-options.ts';

const JOBS_PER_CALL = 1_000;

export class BullmqJobQueue implements JobQueue {
  readonly #connection: QueueConnection;
  readonly #queues = new Map<string, Queue>();

  constructor(connection: QueueConnection) {
    this.#connection = connection;
  }

  #queue(name: string): Queue {
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = new Queue(name, queueOptions(this.#connection));
      // Connection trouble shows in the command that meets it; without a listener it would end the process.
      queue.on('error', () => {});
      this.#queues.set(name, queue);
    }
    return queue;
  }

  async enqueueSlices(workflow: string, jobs: readonly SliceJob[], priority: number): Promise<void> {
    const queue = this.#queue(sliceQueueName(workflow));
    for (let from = 0; from < jobs.length; from += JOBS_PER_CALL) {
      await queue.addBulk(
        jobs.slice(from, from + JOBS_PER_CALL).map((job) => ({
          name: SLICE_JOB_NAME,
          data: job,
          opts: { ...SLICE_JOB_OPTIONS, jobId: sliceJobId(job), ...(priority === 0 ? {} : { priority }) },
        })),
      );
    }
  }

  async enqueueFinalize(job: FinalizeJob): Promise<void> {
    await this.#queue(FINALIZE_QUEUE_NAME).add(FINALIZE_JOB_NAME, job, {
      ...FINALIZE_JOB_OPTIONS,
      jobId: finalizeJobId(job),
    });
  }

  async pause(workflow: string): Promise<void> {
    await this.#queue(sliceQueueName(workflow)).pause();
  }

  async resume(workflow: string): Promise<void> {
    await this.#queue(sliceQueueName(workflow)).resume();
  }

  async isPaused(workflow: string): Promise<boolean> {
    return await this.#queue(sliceQueueName(workflow)).isPaused();
  }

  async pendingCount(workflow: string): Promise<number> {
    const counts = await this.#queue(sliceQueueName(workflow)).getJobCounts();
    const { wait = 0, waiting = 0, active = 0, delayed = 0, prioritized = 0, paused = 0 } = counts;
    return wait + waiting + active + delayed + prioritized + paused;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
    this.#queues.clear();
  }
}
