import { DelayedError, type Job, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import { FINALIZE_QUEUE_NAME, finalizeJobSchema } from '../../../jobs/finalize-batch.ts';
import { batchOfSliceJob, sliceBackoffMs, sliceJobSchema, sliceQueueName } from '../../../jobs/process-slice.ts';
import { QueueClients, type QueueConnection } from './queue-options.ts';

/**
 * What became of a slice. `handed_back`: to the queue again; `deferred`: again after a while, so that a worker that can
 * do it comes first. Neither uses up an attempt.
 */
export type SliceOutcome = 'done' | 'handed_back' | 'deferred';

export interface WorkerHandlers {
  /** `turn`: the job's priority, lowest first. `signal` aborts when another worker has the job by now or the process gives up. */
  processSlice(job: { batch: string; slice: number; turn: number }, signal: AbortSignal): Promise<SliceOutcome>;
  /** False: not ready yet, ask again later. */
  finalizeBatch(batchId: string): Promise<boolean>;
  onError(error: Error, where: string): void;
}

export interface WorkerSettings {
  readonly workflows: readonly string[];
  /** Slices at once in this process, shared by its workflows. */
  readonly slices: number;
  readonly lockMs: number;
}

/** How long a slice rests that this worker cannot do. */
const DEFERRED_MS = 2_000;

/** BullMQ's score of a waiting job is its priority times this, plus a number in the order of arrival. */
const JOBS_OF_ONE_PRIORITY = 2 ** 32;

/** Not ready: BullMQ waits and tries again. */
class NotReadyError extends Error {}

/** Why a worker takes nothing for now. */
export type PauseReason = 'clock' | 'store';

/** The consumers' side of the queues: one BullMQ worker a workflow, and one for finished batches. */
export class SliceWorkers {
  readonly #workers: readonly Worker[];
  readonly #clients: QueueClients;
  readonly #paused = new Set<PauseReason>();
  /** Slices and batches at work. */
  #inHand = 0;

  constructor(connection: QueueConnection, settings: WorkerSettings, handlers: WorkerHandlers) {
    this.#clients = new QueueClients(connection);
    const options = {
      ...this.#clients.worker(),
      lockDuration: settings.lockMs,
      stalledInterval: Math.max(1_000, Math.floor(settings.lockMs / 2)),
      // A killed worker says nothing about its slice: being picked up again is no fault of the documents.
      maxStalledCount: 1_000_000,
      settings: { backoffStrategy: sliceBackoffMs },
    };
    const slices = settings.workflows.map(
      (workflow) =>
        new Worker(
          sliceQueueName(workflow),
          async (job: Job, token: string | undefined, signal: AbortSignal | undefined) => {
            if (this.#paused.size > 0) await handBack(job, token);
            await this.#hold(() => runSlice(job, token, signal ?? new AbortController().signal, handlers));
          },
          { ...options, concurrency: settings.slices },
        ),
    );
    const finalizer = new Worker(
      FINALIZE_QUEUE_NAME,
      async (job: Job, token: string | undefined) => {
        if (this.#paused.size > 0) await handBack(job, token);
        const { batch } = finalizeJobSchema.parse(job.data);
        const isEnded = await this.#hold(() => handlers.finalizeBatch(batch));
        if (!isEnded) throw new NotReadyError(`Batch ${batch} has calls in flight`);
      },
      { ...options, concurrency: 1 },
    );
    this.#workers = [...slices, finalizer];
    for (const worker of this.#workers) {
      worker.on('error', (error) => handlers.onError(error, worker.name));
      worker.on('failed', (_job, error) => {
        if (!(error instanceof NotReadyError)) handlers.onError(error, worker.name);
      });
    }
  }

  async ready(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.waitUntilReady()));
  }

  /**
   * Takes no jobs until `resume()` for every reason; those at work continue. A BullMQ worker that waits for a job takes the
   * next one all the same, which goes back at once.
   */
  async pause(why: PauseReason): Promise<void> {
    this.#paused.add(why);
    await Promise.all(this.#workers.map((worker) => worker.pause(true)));
  }

  resume(why: PauseReason): void {
    if (!this.#paused.delete(why) || this.#paused.size > 0) return;
    for (const worker of this.#workers) worker.resume();
  }

  /** The slice that is next in a workflow's queue, which stays there; undefined: none waits. */
  async next(workflow: string): Promise<{ readonly batch: string; readonly turn: number } | undefined> {
    const worker = this.#workers.find(({ name }) => name === sliceQueueName(workflow));
    const key = worker?.toKey('prioritized') ?? '';
    const [id, score] = (await this.#clients.shared?.zrange(key, '0', '0', 'WITHSCORES')) ?? [];
    if (id === undefined) return undefined;
    return { batch: batchOfSliceJob(id), turn: Math.floor(Number(score) / JOBS_OF_ONE_PRIORITY) };
  }

  /** Takes no more jobs; resolves when those at work have ended. Where there are none, Redis is not waited for. */
  async drain(): Promise<void> {
    const closed = Promise.all(this.#workers.map((worker) => worker.close()));
    // BullMQ may be in the midst of asking for the next job, which is answered only when Redis is back.
    this.#clients.whenLost(() => {
      if (this.#inHand === 0) this.giveUp();
    });
    await closed;
    this.giveUp();
  }

  /** What still waits for Redis fails, so `drain()` resolves. Slices in progress come back to the queue when their locks end. */
  giveUp(): void {
    this.#clients[Symbol.dispose]();
  }

  async #hold<T>(work: () => Promise<T>): Promise<T> {
    this.#inHand += 1;
    try {
      return await work();
    } finally {
      this.#inHand -= 1;
    }
  }
}

async function runSlice(
  job: Job,
  token: string | undefined,
  signal: AbortSignal,
  handlers: WorkerHandlers,
): Promise<void> {
  const parsed = sliceJobSchema.safeParse(job.data);
  if (!parsed.success) throw new UnrecoverableError(`Cannot read the job ${job.id}: ${parsed.error.message}`);
  const outcome = await handlers.processSlice({ ...parsed.data, turn: job.priority }, signal);
  if (outcome === 'deferred') {
    await job.moveToDelayed(Date.now() + DEFERRED_MS, token);
    throw new DelayedError();
  }
  if (outcome === 'handed_back') await handBack(job, token);
}

/** To the queue again, as if nobody had taken it. */
async function handBack(job: Job, token: string | undefined): Promise<never> {
  await job.moveToWait(token);
  // It keeps its turn. BullMQ tells idle workers of a slice that gets a priority, not of one that comes back.
  if (job.priority > 0) await job.changePriority({ priority: job.priority }).catch(() => {});
  throw new WaitingError();
}
