import type { BatchRegistry } from '../batches/batch-registry.ts';
import type { JobQueue } from '../batches/job-queue.ts';
import { enqueueSlices } from '../batches/submit-batch.ts';
import type { WorkflowHolds } from '../batches/workflow-holds.ts';
import type { StopReason } from '../calls/stop.ts';
import type { Ledger, Refusal } from '../ledger/ledger.ts';
import type { Pause } from '../ledger/pause.ts';
import { type BatchOwner, scopesOf, type Timezones } from '../ledger/scope.ts';
import { formatUsd, type NanoUsd } from '../money/money.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';

export interface BreakerContext {
  readonly batches: BatchRegistry;
  readonly jobs: JobQueue;
  readonly holds: WorkflowHolds;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Log;
  /** Every workflow that this process knows: a global limit pauses them all. */
  readonly workflows: readonly string[];
}

/** Opens what a stopped slice calls for: its batch alone, its workflow, or all of them. */
export async function openBreaker(
  context: BreakerContext,
  owner: BatchOwner & { readonly timezones: Timezones },
  reason: Extract<StopReason, { kind: 'budget' | 'provider' }>,
): Promise<void> {
  if (reason.kind === 'provider') {
    if (reason.hold.ofBatch === true) return await parkBatch(context, owner.batchId, reason.hold);
    return await holdWorkflow(context, owner.workflow, reason.hold);
  }
  const { refusal } = reason;
  const now = context.clock.now();
  const period = scopesOf(owner, now, owner.timezones).find((scope) => scope.name === refusal.scope)?.period;
  const hold: Pause = {
    cause: 'budget',
    reason: describeRefusal(refusal, reason.hold),
    since: now,
    scope: refusal.scope,
    limit: refusal.limit,
    needed: reason.hold,
    ...(period === undefined || period === '' ? {} : { period }),
  };
  if (refusal.scope.startsWith('workflow:')) await holdWorkflow(context, owner.workflow, hold);
  else if (refusal.scope.startsWith('global/')) {
    for (const workflow of new Set([owner.workflow, ...context.workflows])) await holdWorkflow(context, workflow, hold);
  } else await parkBatch(context, owner.batchId, hold);
}

function describeRefusal(refusal: Refusal, hold: NanoUsd): string {
  const { scope, limit, settled, uncertain } = refusal;
  if (hold > limit) {
    return (
      `The limit ${formatUsd(limit)} of ${scope} is smaller than one call, which may cost up to ${formatUsd(hold)}. ` +
      `Raise it: nightmill budget set ${scope} USD`
    );
  }
  return (
    `The limit ${formatUsd(limit)} of ${scope} is reached: ${formatUsd(settled + uncertain)} are spent and the next call ` +
    `may cost up to ${formatUsd(hold)}. Raise it: nightmill budget set ${scope} USD`
  );
}

/** Pauses a workflow's queue for the whole cluster. Slices in hand stop by themselves. */
export async function holdWorkflow(context: BreakerContext, workflow: string, hold: Pause): Promise<void> {
  const first = await context.holds.set(workflow, hold);
  await context.jobs.pause(workflow);
  if (!first) return;
  context.log.warn('breaker:open', { workflow, cause: hold.cause, scope: hold.scope, reason: hold.reason });
  await context.holds.record(workflow, breakerEvent(hold.cause === 'operator' ? 'paused' : 'opened', hold));
}

/** Lets a held workflow go on; false where it was not held. */
export async function releaseWorkflow(context: BreakerContext, workflow: string, reason: string): Promise<boolean> {
  const held = await context.holds.clear(workflow);
  await context.jobs.resume(workflow);
  if (!held) return false;
  context.log.info('breaker:closed', { workflow, reason });
  await context.holds.record(workflow, {
    at: new Date(context.clock.now()).toISOString(),
    event: 'closed',
    reason,
  });
  return true;
}

export async function parkBatch(context: BreakerContext, batchId: string, hold: Pause): Promise<void> {
  const batch = await context.batches.get(batchId);
  if (batch === undefined || batch.parked !== undefined) return;
  await context.batches.park(batchId, hold);
  context.log.warn('breaker:open', { batch: batchId, cause: hold.cause, scope: hold.scope, reason: hold.reason });
  await context.holds.record(`batch:${batchId}`, breakerEvent(hold.cause === 'operator' ? 'paused' : 'opened', hold));
}

/** Lets a parked batch go on: its slices return to the queue. False where it was not parked. */
export async function unparkBatch(context: BreakerContext, batchId: string, reason: string): Promise<boolean> {
  const batch = await context.batches.get(batchId);
  if (batch?.parked === undefined) return false;
  await context.batches.unpark(batchId);
  await enqueueSlices(context, batch);
  context.log.info('breaker:closed', { batch: batchId, reason });
  await context.holds.record(`batch:${batchId}`, {
    at: new Date(context.clock.now()).toISOString(),
    event: 'closed',
    reason,
  });
  return true;
}

function breakerEvent(event: 'opened' | 'paused', hold: Pause) {
  return {
    at: new Date(hold.since).toISOString(),
    event,
    ...(hold.scope === undefined ? {} : { scope: hold.scope }),
    reason: hold.reason,
  };
}
