import { FINALIZE_QUEUE_NAME } from '../../jobs/finalize-batch.ts';
import { LONGEST_BACKOFF_MS } from '../../jobs/process-slice.ts';
import type { BatchRecord } from '../batches/batch-registry.ts';
import { earlyEndOf, hasEnded } from '../batches/batch-states.ts';
import { mostConstrainedScope, spentFraction } from '../batches/batch-status.ts';
import { EndingWatch } from '../batches/ending-watch.ts';
import { enqueueSlices } from '../batches/submit-batch.ts';
import type { SliceRun } from '../calls/slice-run.ts';
import type { ReapedCall } from '../ledger/ledger.ts';
import type { Pause } from '../ledger/pause.ts';
import { parseScope, periodOf } from '../ledger/scope.ts';
import { nanoToDecimal } from '../money/money.ts';
import { type BreakerContext, resumeBatch, resumeWorkflow } from './breaker.ts';

/** Which worker keeps house for the cluster; one does at a time. */
export interface House {
  /** Whether it was this worker when it last asked. */
  readonly isHeld: boolean;
  /** Asks; true where it is this worker for the next seconds. */
  take(): Promise<boolean>;
  leave(): Promise<void>;
}

export interface MaintenanceContext extends BreakerContext {
  readonly runs: ReadonlySet<SliceRun>;
  readonly timezoneOf: (scope: string) => string;
  readonly house: House;
  /** Posts the last seconds again where Redis has restarted. */
  readonly restore: () => Promise<number>;
  /** Exchanges with other workers what is known of the models' token counts. */
  readonly shareRatios: () => Promise<void>;
  /** Books what dead workers held. */
  readonly reap: (onBooked: (call: ReapedCall) => void) => Promise<number>;
  /** Tells people of limits that are nearly spent and of costs that drift; see `checkAlerts`. */
  readonly checkAlerts: (open: readonly BatchRecord[], options?: { readonly now?: boolean }) => Promise<unknown>;
}

/** A provider that was out of reach is tried again after this time; one that needs a person is not. */
const RETRY_PROVIDER_MS = 30_000;

/** Open batches that one round may look at for each second until the next one. */
const BATCHES_PER_SECOND = 100;
const LONGEST_REST_MS = 10_000;

/** Both parts at once, for a process that is about to begin. */
export async function runMaintenance(context: MaintenanceContext): Promise<void> {
  await maintainWorker(context);
  await maintainCluster(context, new EndingWatch());
}

/** What every live worker does about once a second, for itself: as much as it has slices, however many batches are open. */
export async function maintainWorker(context: MaintenanceContext): Promise<void> {
  const restored = await context.restore();
  if (restored > 0) context.log.warn('ledger:restored', { calls: restored });
  await context.shareRatios();
  await steerRuns(context);
}

/**
 * What one worker does for the whole cluster; doing it twice changes nothing: books the money of dead workers, closes
 * breakers whose reason has passed, ends batches whose time is over or whose last step was lost with a process, and sends
 * alerts that are due.
 *
 * @param endings the same one each time
 * @returns how long it may rest before the next round, milliseconds: a round looks at every open batch
 */
export async function maintainCluster(context: MaintenanceContext, endings: EndingWatch): Promise<number> {
  await reapDeadWorkers(context);
  const open = await context.batches.listOpen();
  const now = context.clock.now();
  await closePassedBreakers(context, open);
  await tryPutOffJobs(context, open);
  const abandoned = endings.abandoned(open, context.clock.monotonic());
  for (const batch of open) {
    const complete =
      batch.state === 'finalizing' || (batch.state === 'running' && batch.slicesCommitted === batch.slices);
    const ends = earlyEndOf(batch, now) === 'expired' || abandoned.has(batch.batchId);
    if (complete || ends) await context.jobs.enqueueFinalize({ batch: batch.batchId });
    else if (await hasLostItsJobs(context, batch)) await enqueueSlices(context, batch);
  }
  await context.checkAlerts(open);
  // Few batches are looked at each second, as the rounds come.
  if (open.length <= BATCHES_PER_SECOND) return 0;
  return Math.min(LONGEST_REST_MS, (open.length / BATCHES_PER_SECOND) * 1_000);
}

/** One line of the log for each batch that a dead worker held money of. */
async function reapDeadWorkers({ reap, log }: MaintenanceContext): Promise<void> {
  const booked = new Map<string, { worker: string; batch: string; calls: number; cost: number }>();
  try {
    await reap(({ worker, batchId: batch, cost }) => {
      const key = `${worker} ${batch}`;
      const before = booked.get(key) ?? { worker, batch, calls: 0, cost: 0 };
      booked.set(key, { ...before, calls: before.calls + 1, cost: before.cost + cost });
    });
  } finally {
    // Also what was booked before something failed: it is not booked again.
    for (const { cost, ...line } of booked.values())
      log.warn('ledger:uncertain', { ...line, usd: nanoToDecimal(cost) });
  }
}

/** Work is left and may continue, but no job stands for it: one was removed at the very moment it was enqueued again. */
async function hasLostItsJobs(context: MaintenanceContext, batch: BatchRecord): Promise<boolean> {
  if (batch.state !== 'running' && batch.state !== 'queued') return false;
  if (batch.pause !== undefined || batch.ending !== undefined) return false;
  return (await context.jobs.pendingCount(batch.workflow)) === 0;
}

/** BullMQ reckons the time of the next try by the clock of the worker that puts a job off: where that is hours ahead, nobody would take it for hours. */
async function tryPutOffJobs(context: MaintenanceContext, open: readonly BatchRecord[]): Promise<void> {
  if (open.length === 0) return;
  const latest = context.clock.now() + 2 * LONGEST_BACKOFF_MS;
  for (const queue of new Set([...open.map(({ workflow }) => workflow), FINALIZE_QUEUE_NAME])) {
    const jobs = await context.jobs.promoteAfter(queue, latest);
    if (jobs > 0) context.log.warn('jobs:promoted', { queue, jobs, reason: "a worker's clock was ahead" });
  }
}

/** Stops slices whose work is held, and tells the others whether a limit is near. */
async function steerRuns(context: MaintenanceContext): Promise<void> {
  for (const run of context.runs) {
    if (run.ending !== undefined) continue;
    const batch = await context.batches.get(run.claim.batchId);
    const held = (await context.pauses.get(run.claim.workflow)) ?? batch?.pause;
    const ends = batch === undefined || batch.ending !== undefined || hasEnded(batch.state);
    if (ends || held !== undefined) run.stop({ kind: 'paused' });
    if (run.drainAt === undefined) continue;
    run.draining = spentFraction(await mostConstrainedScope(context, run.claim, run.claim.timezones)) >= run.drainAt;
  }
}

/** Resumes what was paused for a reason that has passed: a raised limit, a new period, a provider's rest. */
export async function closePassedBreakers(context: MaintenanceContext, open: readonly BatchRecord[]): Promise<void> {
  for (const workflow of new Set([...context.workflows, ...open.map((batch) => batch.workflow)])) {
    const isPaused = await context.jobs.isPaused(workflow);
    const pauses = await context.pauses.all(workflow);
    let left = pauses.length;
    for (const pause of pauses) {
      const passed = await whyPassed(context, pause);
      if (passed === undefined) continue;
      await resumeWorkflow(context, workflow, passed, pause);
      left -= 1;
    }
    if (left < pauses.length) continue;
    // Whoever opened or closed it may have died between its two steps: the pauses say what the queue must do.
    if (left === 0 && isPaused) await context.jobs.resume(workflow);
    else if (left > 0 && !isPaused) await context.jobs.pause(workflow);
  }
  for (const batch of open) {
    for (const pause of batch.pauses) {
      const passed = await whyPassed(context, pause);
      if (passed !== undefined) await resumeBatch(context, batch.batchId, passed, pause);
    }
  }
}

/** Why a hold is over, or undefined while it lasts. */
async function whyPassed(context: MaintenanceContext, hold: Pause): Promise<string | undefined> {
  const now = context.clock.now();
  if (hold.cause === 'provider') {
    const retry = hold.retry === true && now >= (hold.retryAt ?? hold.since + RETRY_PROVIDER_MS);
    return retry ? 'the provider is tried again' : undefined;
  }
  if (hold.cause !== 'budget' || hold.scope === undefined) return undefined;
  if (hold.period !== undefined) {
    const { window } = parseScope(hold.scope) ?? { window: 'batch' };
    const present = periodOf(window, now, context.timezoneOf(hold.scope));
    if (present !== hold.period) return `a new ${window} has begun`;
  }
  const { limit, settled, uncertain, held } = await context.ledger.totals({
    name: hold.scope,
    period: hold.period ?? '',
  });
  if (limit === undefined || limit > (hold.limit ?? 0)) return 'the limit was raised';
  // A call that was booked as uncertain has settled for less after all.
  const free = limit - settled - uncertain - held;
  return hold.needed !== undefined && free >= hold.needed ? 'money has come back' : undefined;
}
