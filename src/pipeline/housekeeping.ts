import { calendarDay, monthOfDay } from '../domain/period.ts';
import type { BatchRecord, Hold } from '../ports/batch-registry.ts';
import { type BreakerContext, releaseWorkflow, unparkBatch } from './breaker.ts';
import type { SliceRun } from './slice-run.ts';

export interface HousekeepingContext extends BreakerContext {
  readonly runs: ReadonlySet<SliceRun>;
  readonly timezoneOf: (scope: string) => string;
  /** Books what dead workers held. */
  readonly reap: () => Promise<number>;
}

/** A provider that was out of reach is tried again after this time; one that needs a person is not. */
const RETRY_PROVIDER_MS = 30_000;

/**
 * What every live worker does about once a second, for the whole cluster; doing it twice changes nothing:
 * books the money of dead workers, stops slices whose work is held, closes breakers whose reason has passed, and
 * ends batches whose last step was lost with a worker.
 */
export async function keepHouse(context: HousekeepingContext): Promise<void> {
  const booked = await context.reap();
  if (booked > 0) context.log.warn('ledger:uncertain', { calls: booked });
  const open = await context.batches.listOpen();
  await stopHeldRuns(context, open);
  await closePassedBreakers(context, open);
  for (const batch of open) {
    const complete =
      batch.state === 'finalizing' || (batch.state === 'running' && batch.slicesCommitted === batch.slices);
    if (complete) await context.jobs.enqueueFinalize({ batch: batch.batchId });
  }
}

async function stopHeldRuns(context: HousekeepingContext, open: readonly BatchRecord[]): Promise<void> {
  const batches = new Map(open.map((batch) => [batch.batchId, batch]));
  for (const run of context.runs) {
    const batch = batches.get(run.claim.batchId);
    if (run.ending !== undefined) continue;
    const held = (await context.holds.get(run.claim.workflow)) ?? batch?.parked;
    if (batch === undefined || batch.ending !== undefined || held !== undefined) run.stop({ kind: 'paused' });
  }
}

/** Lets go on what was held for a reason that has passed: a raised limit, a new period, a provider's rest. */
export async function closePassedBreakers(context: HousekeepingContext, open: readonly BatchRecord[]): Promise<void> {
  for (const workflow of new Set([...context.workflows, ...open.map((batch) => batch.workflow)])) {
    const hold = await context.holds.get(workflow);
    const passed = hold === undefined ? undefined : await whyPassed(context, hold);
    if (passed !== undefined) await releaseWorkflow(context, workflow, passed);
  }
  for (const batch of open) {
    const passed = batch.parked === undefined ? undefined : await whyPassed(context, batch.parked);
    if (passed !== undefined) await unparkBatch(context, batch.batchId, passed);
  }
}

/** Why a hold is over, or undefined while it lasts. */
async function whyPassed(context: HousekeepingContext, hold: Hold): Promise<string | undefined> {
  const now = context.clock.now();
  if (hold.cause === 'provider') {
    const retry = hold.retry === true && now - hold.since >= RETRY_PROVIDER_MS;
    return retry ? 'the provider is tried again' : undefined;
  }
  if (hold.cause !== 'budget' || hold.scope === undefined) return undefined;
  if (hold.period !== undefined) {
    const day = calendarDay(now, context.timezoneOf(hold.scope));
    const present = hold.period.length === day.length ? day : monthOfDay(day);
    if (present !== hold.period) return `a new ${hold.period.length === day.length ? 'day' : 'month'} has begun`;
  }
  const limit = await context.ledger.limit(hold.scope);
  return limit === undefined || limit > (hold.limit ?? 0) ? 'the limit was raised' : undefined;
}
