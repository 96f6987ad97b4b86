import { setTimeout as delay } from 'node:timers/promises';
import { type SliceOutcome, SliceWorkers } from '../adapters/bullmq/slice-workers.ts';
import { loadHttpClient } from '../adapters/outbound/proxy.ts';
import type { App } from '../app.ts';
import { EndingWatch } from '../batches/ending-watch.ts';
import { maintainCluster, maintainWorker } from '../budgets/housekeeping.ts';
import type { Notice } from '../budgets/notice.ts';
import { checkStore } from '../doctor/check-store.ts';
import { NightmillError } from '../errors.ts';
import { endContextOf } from '../finalize/end-batch.ts';
import { takeLastStep } from '../finalize/take-last-step.ts';
import type { Timezones } from '../ledger/scope.ts';
import { type ProcessSliceContext, processSlice } from '../slices/process-slice.ts';
import { ClockGuard } from './clock-guard.ts';
import { StepBound } from './end-bound.ts';
import { giveWay } from './give-way.ts';
import { RefusedKeys } from './refused-keys.ts';
import { StoreWatch } from './store-watch.ts';
import { WorkerAbilities } from './worker-abilities.ts';
import { workerRecord } from './worker-record.ts';

export type WorkerState = 'running' | 'draining' | 'stopped';

export interface RunningWorker {
  readonly state: WorkerState;
  /**
   * Takes no more slices; those at work get the grace time to settle what is in flight and go back to the queue.
   * After it, or at once with `force`, calls in flight are given up and booked as uncertain.
   */
  stop(options?: { readonly force?: boolean }): Promise<void>;
}

const STORE_PROBE_BYTES = 1024 * 1024;
const HOUSEKEEPING_EVERY_MS = 1_000;

/** Attaches this process to the queues of `workflows`. */
export async function startWorker(
  app: App,
  workflows: readonly string[],
  /** Told of what no waiting fixes: the store is full, an object is missing, the clock is wrong. It keeps trying anyway. */
  onPermanentFailure: (error: NightmillError) => void = () => {},
): Promise<RunningWorker> {
  const { config, log } = app;
  prepareToWork(app);
  let state: WorkerState = 'running';
  const [draining, givingUp, ended] = [new AbortController(), new AbortController(), new AbortController()];
  const abilities = new WorkerAbilities(app, new RefusedKeys(() => app.clock.monotonic()));
  const store = watchStore(app, () => workers, onPermanentFailure);
  await app.lease.start(workerRecord(app, workflows, () => store.trouble));
  const slices: ProcessSliceContext = {
    ...app.slices,
    onTaken: (run) => {
      if (givingUp.signal.aborted) run.force();
      else if (state !== 'running') run.stop({ kind: 'shutdown' });
      else if (store.trouble !== undefined) run.stop({ kind: 'store' });
      // At once, not when the calls in flight have ended: the whole cluster must stop taking slices.
      run.stopping.addEventListener('abort', () => void abilities.stopped(run.claim, run.reason).catch(() => {}), {
        once: true,
      });
    },
  };
  const asking = { models: app.slices, owners: app.owners, stopping: draining.signal, forced: givingUp.signal };
  const workers: SliceWorkers = new SliceWorkers(
    app.redis.connection,
    { workflows, slices: config.worker.slices, lockMs: config.worker.lockMs },
    {
      processSlice: (job, signal) =>
        unlessStore(store, 'handed_back', () => runSlice(app, abilities, slices, job, signal)),
      finalizeBatch: (batchId) =>
        unlessStore(store, false, () => takeLastStep({ ...endContextOf(app), asking }, batchId)),
      onError: (error, where) => reportError(app, error, where, onPermanentFailure),
    },
  );
  const guard = new ClockGuard({ clock: app.clock, runs: app.slices.runs, workers, onPermanentFailure });
  await guard.look();
  await workers.ready();
  void giveWay({ ...app.slices, queue: workers }, { workflows, slices: config.worker.slices }, draining.signal);
  const housekeeping = runHousekeeping(app, guard, ended.signal);
  log.info('worker:started', { worker: app.lease.workerId, workflows, slices: config.worker.slices });
  let stopping: Promise<void> | undefined;
  const bound = new StepBound(() => giveUpRedis(app, workers));
  const stop = async () => {
    using _ = bound;
    state = 'draining';
    log.info('worker:draining', { slices: app.slices.runs.size });
    const drained = workers.drain();
    draining.abort();
    for (const run of app.slices.runs) run.stop({ kind: 'shutdown' });
    const grace = new AbortController();
    void delay(config.worker.shutdownGraceMs, undefined, { signal: grace.signal }).then(force, () => {});
    await drained;
    grace.abort();
    bound.begin();
    ended.abort();
    store.end();
    await leaveCluster(app, housekeeping);
    state = 'stopped';
    log.info('worker:stopped');
  };
  const force = () => {
    bound.begin();
    givingUp.abort();
    for (const run of app.slices.runs) run.force();
  };
  return {
    get state() {
      return state;
    },
    async stop(options = {}) {
      if (options.force === true) force();
      stopping ??= stop();
      await stopping;
    },
  };
}

/** What other processes can do without. */
function prepareToWork({ ledger, clock }: App): void {
  loadHttpClient();
  ledger.remember(clock);
}

function reportError(
  { log }: App,
  error: Error,
  queue: string,
  onPermanentFailure: (error: NightmillError) => void,
): void {
  log.error('worker:error', { queue, message: error.message });
  if (error instanceof NightmillError && !error.retryable) onPermanentFailure(error);
}

function giveUpRedis({ log, redis }: App, workers: SliceWorkers): void {
  log.warn('worker:gave_up');
  workers.giveUp();
  redis.disconnect();
}

async function leaveCluster(app: App, housekeeping: Promise<void>): Promise<void> {
  await housekeeping;
  await sendLastAlerts(app);
  // Where Redis is away, the lease ends by itself.
  await app.lease.stop().catch(() => {});
}

function watchStore(
  app: App,
  workers: () => SliceWorkers,
  onPermanentFailure: (error: NightmillError) => void,
): StoreWatch {
  const { log, lease } = app;
  // As large as the rows of a slice may be: a disk that is nearly full takes a small object.
  const probe = () => checkStore(app.store, lease.workerId, STORE_PROBE_BYTES);
  const tellOthers = () => void lease.renew().catch(() => {});
  return new StoreWatch({
    probe,
    rest: (milliseconds, signal) => delay(milliseconds, undefined, { signal }).catch(() => {}),
    onTrouble: (error) => {
      log.error('store:trouble', { message: error.message });
      void app.breaker.notify(storeNotice(app, error));
      void workers()
        .pause('store')
        .catch(() => {});
      for (const run of app.slices.runs) run.stop({ kind: 'store' });
      tellOthers();
      if (!error.retryable) onPermanentFailure(error);
    },
    onRestored: () => {
      log.info('store:restored', {});
      workers().resume('store');
      tellOthers();
    },
  });
}

/** Many workers have one store: within an hour the first one speaks for all. */
function storeNotice({ lease, clock, store }: App, { message }: Error): Notice {
  return {
    event: 'store:trouble',
    subject: lease.workerId,
    message: `Worker ${lease.workerId} cannot use the store and takes no slices until it can: ${message}`,
    key: `${store.url}|${Math.floor(clock.now() / 3_600_000)}`,
  };
}

/** A step that fails because this worker's store does not work is left to others, and is no failed attempt. */
async function unlessStore<T>(store: StoreWatch, left: T, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (await store.blames(error)) return left;
    throw error;
  }
}

async function runSlice(
  app: App,
  abilities: WorkerAbilities,
  slices: ProcessSliceContext,
  job: { readonly batch: string; readonly slice: number; readonly turn: number },
  signal: AbortSignal,
): Promise<SliceOutcome> {
  const batch = await app.batches.get(job.batch);
  // A paused batch's slices leave the queue; they come back when it is resumed.
  if (batch === undefined || batch.pause !== undefined || batch.ending !== undefined) return 'done';
  const { workflow } = await app.slices.submission(job.batch);
  if (await abilities.leaves(job.batch, workflow)) return 'deferred';
  const onLost = () => {
    for (const run of app.slices.runs) {
      if (run.claim.batchId === job.batch && run.claim.slice === job.slice) run.stop({ kind: 'shutdown' });
    }
  };
  signal.addEventListener('abort', onLost);
  try {
    const result = await processSlice(slices, job);
    if (result.kind === 'committed' && result.slicesLeft === 0) {
      await app.submit.jobs.enqueueFinalize({ batch: job.batch });
    }
    if (result.kind !== 'stopped' || result.reason.kind === 'fenced') return 'done';
    // Once more, so that the breaker is open for certain before the slice goes back.
    const owner = { ...batch, ...(await timezonesOf(app, job.batch)) };
    if ((await abilities.stopped(owner, result.reason)) === 'left') return 'deferred';
    const isPaused = (await app.batches.get(job.batch))?.pause !== undefined;
    return isPaused ? 'done' : 'handed_back';
  } finally {
    signal.removeEventListener('abort', onLost);
  }
}

async function timezonesOf(app: App, batchId: string): Promise<{ readonly timezones: Timezones }> {
  return { timezones: (await app.slices.submission(batchId)).timezones };
}

/** A process that ends because a limit is reached says so before it ends. */
async function sendLastAlerts(app: App): Promise<void> {
  try {
    await app.housekeeping.checkAlerts(await app.batches.listOpen(), { now: true });
  } catch (error) {
    app.log.warn('housekeeping:failed', { message: (error as Error).message });
  }
}

async function runHousekeeping(app: App, guard: ClockGuard, signal: AbortSignal): Promise<void> {
  const endings = new EndingWatch();
  let restUntil = 0;
  while (!signal.aborted) {
    try {
      await guard.look();
      await maintainWorker(app.housekeeping);
      if ((await app.housekeeping.house.take()) && app.clock.monotonic() >= restUntil) {
        restUntil = app.clock.monotonic() + (await maintainCluster(app.housekeeping, endings));
      }
    } catch (error) {
      app.log.warn('housekeeping:failed', { message: (error as Error).message });
    }
    // Workers that started together do not stay in step.
    await delay(HOUSEKEEPING_EVERY_MS * (0.75 + Math.random() * 0.5), undefined, { signal }).catch(() => {});
  }
  // Where Redis is away, the lease ends by itself.
  await app.housekeeping.house.leave().catch(() => {});
}
