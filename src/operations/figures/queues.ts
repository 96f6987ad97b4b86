import { FINALIZE_QUEUE_NAME } from '../../../jobs/finalize-batch.ts';
import type { App } from '../../app.ts';
import { JOB_STATES, type JobState, type QueuedJob, type QueueState } from '../../batches/job-queue.ts';
import { NightmillError } from '../../errors.ts';
import { type QueueView as QueueLoad, readCluster } from '../cluster-view.ts';

const SHOWN = 50;
/** A provider's answer may be quoted in a reason. */
const MAX_REASON_UNITS = 300;

export interface QueueOverview extends QueueState, Pick<QueueLoad, 'oldestAt' | 'workersAlive'> {
  /** A workflow; `nightmill.finalize`: the last steps of all batches. */
  readonly name: string;
}

export interface QueueDetail extends QueueOverview {
  /** Of each state at most fifty, those whose turn is next first. */
  readonly jobs: Readonly<Record<JobState, readonly QueuedJob[]>>;
}

type Looked = Pick<App, 'config' | 'workers' | 'batches' | 'submit'>;

/** The queues of the config's workflows and of open batches, by name, and last that of the last steps. */
export async function listQueues(app: Looked): Promise<readonly QueueOverview[]> {
  const { queues, workers } = await readCluster(app);
  const loads = [
    ...queues.map(({ workflow: name, oldestAt, workersAlive }) => ({
      name,
      workersAlive,
      ...(oldestAt === undefined ? {} : { oldestAt }),
    })),
    { name: FINALIZE_QUEUE_NAME, workersAlive: workers.length },
  ];
  return await Promise.all(loads.map(async (load) => ({ ...load, ...(await app.submit.jobs.stateOf(load.name)) })));
}

/**
 * One queue and what stands in it.
 *
 * @throws {NightmillError} `workflow_unknown`
 */
export async function readQueue(app: Looked, name: string): Promise<QueueDetail> {
  const queues = await listQueues(app);
  const queue = queues.find((each) => each.name === name);
  if (queue === undefined) {
    const known = queues.map((each) => each.name).join(', ');
    throw new NightmillError('workflow_unknown', `There is no queue ${JSON.stringify(name)}; known: ${known}.`);
  }
  const jobs = await Promise.all(
    JOB_STATES.map(async (state) => [state, await app.submit.jobs.jobsOf(name, state, SHOWN)] as const),
  );
  return { ...queue, jobs: Object.fromEntries(jobs) as QueueDetail['jobs'] };
}

/** As the API gives it. */
export function queueJson({ name, counts, paused, oldestAt, workersAlive }: QueueOverview) {
  return { name, ...counts, paused, oldestAt: timeJson(oldestAt), workersAlive };
}

export function queueDetailJson({ jobs, ...queue }: QueueDetail) {
  const { waiting, active, delayed, failed } = jobs;
  return {
    ...queueJson(queue),
    jobs: {
      waiting: waiting.map(jobJson),
      active: active.map(jobJson),
      delayed: delayed.map(jobJson),
      failed: failed.map(jobJson),
    },
  };
}

export type QueueJson = ReturnType<typeof queueJson>;
export type QueueDetailJson = ReturnType<typeof queueDetailJson>;
export type JobJson = ReturnType<typeof jobJson>;

function jobJson({ batch, slice, addedAt, startedAt, failures, reason }: QueuedJob) {
  return {
    batch,
    slice: slice ?? null,
    addedAt: new Date(addedAt).toISOString(),
    startedAt: timeJson(startedAt),
    failures,
    reason: reason === undefined ? null : reason.slice(0, MAX_REASON_UNITS),
  };
}

function timeJson(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}
