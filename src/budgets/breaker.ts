import type { BatchRegistry } from '../batches/batch-registry.ts';
import type { JobQueue } from '../batches/job-queue.ts';
import { enqueueSlices } from '../batches/submit-batch.ts';
import type { WorkflowPauses } from '../batches/workflow-pauses.ts';
import type { StopReason } from '../calls/stop.ts';
import type { Ledger, Refusal } from '../ledger/ledger.ts';
import type { Pause } from '../ledger/pause.ts';
import { type BatchOwner, parseScope, scopesOf, type Timezones } from '../ledger/scope.ts';
import { formatUsd, type NanoUsd } from '../money/money.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Notice, Notify } from './notice.ts';

export interface BreakerContext {
  readonly batches: BatchRegistry;
  readonly jobs: JobQueue;
  readonly pauses: WorkflowPauses;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Log;
  /** Tells people that work is paused. */
  readonly notify: Notify;
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
    if (reason.hold.ofBatch === true) await pauseBatch(context, owner.batchId, reason.hold);
    else await pauseWorkflow(context, owner.workflow, reason.hold);
    return;
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
  const kind = parseScope(refusal.scope)?.kind;
  if (kind === 'workflow') await pauseWorkflow(context, owner.workflow, hold);
  else if (kind === 'global') {
    for (const workflow of new Set([owner.workflow, ...context.workflows]))
      await pauseWorkflow(context, workflow, hold);
  } else await pauseBatch(context, owner.batchId, hold);
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

/** Pauses a workflow's queue for the whole cluster; false where it was held for this cause. Slices in progress stop by themselves. */
export async function pauseWorkflow(context: BreakerContext, workflow: string, pause: Pause): Promise<boolean> {
  const lasting = await sinceItsBeginning(context, workflow, pause);
  const first = await context.pauses.set(workflow, lasting);
  await context.jobs.pause(workflow);
  if (!first) return false;
  context.log.warn('breaker:open', { workflow, cause: pause.cause, scope: pause.scope, reason: pause.reason });
  await context.pauses.record(workflow, breakerEvent(pause.cause === 'operator' ? 'paused' : 'opened', pause));
  await context.notify(pausedNotice(`Workflow ${workflow}`, workflow, pause));
  return true;
}

/**
 * Ends one pause of a workflow, or all of them; it continues when none is left.
 *
 * @returns false where it was not held so
 */
export async function resumeWorkflow(
  context: BreakerContext,
  workflow: string,
  reason: string,
  pause?: Pause,
): Promise<boolean> {
  if (pause !== undefined) await rememberRetry(context, workflow, pause);
  const { cleared, left } = await context.pauses.clear(workflow, pause);
  if (left === 0) await context.jobs.resume(workflow);
  if (!cleared) return false;
  context.log.info('breaker:closed', { workflow, reason, ...(left === 0 ? {} : { pausesLeft: left }) });
  await context.pauses.record(workflow, closedEvent(context, reason));
  return true;
}

/** Holds one batch; false where it was held for this cause, or is gone. */
export async function pauseBatch(context: BreakerContext, batchId: string, pause: Pause): Promise<boolean> {
  if ((await context.batches.get(batchId)) === undefined) return false;
  const lasting = await sinceItsBeginning(context, `batch:${batchId}`, pause);
  if (!(await context.batches.pauseBatch(batchId, lasting))) return false;
  context.log.warn('breaker:open', { batch: batchId, cause: pause.cause, scope: pause.scope, reason: pause.reason });
  await context.pauses.record(
    `batch:${batchId}`,
    breakerEvent(pause.cause === 'operator' ? 'paused' : 'opened', pause),
  );
  await context.notify(pausedNotice(`Batch ${batchId}`, batchId, pause));
  return true;
}

/**
 * Ends one pause of a batch, or all of them; its slices return to the queue when none is left.
 *
 * @returns false where it was not held so
 */
export async function resumeBatch(
  context: BreakerContext,
  batchId: string,
  reason: string,
  pause?: Pause,
): Promise<boolean> {
  const batch = await context.batches.get(batchId);
  if (batch === undefined) return false;
  if (pause !== undefined) await rememberRetry(context, `batch:${batchId}`, pause);
  const { cleared, left } = await context.batches.resumeBatch(batchId, pause);
  if (!cleared) return false;
  if (left === 0) await enqueueSlices(context, batch);
  context.log.info('breaker:closed', { batch: batchId, reason, ...(left === 0 ? {} : { pausesLeft: left }) });
  await context.pauses.record(`batch:${batchId}`, closedEvent(context, reason));
  return true;
}

/** A provider that is still down when it is tried again has been down all the time. */
async function sinceItsBeginning(context: BreakerContext, name: string, pause: Pause): Promise<Pause> {
  if (pause.cause !== 'provider') return pause;
  const since = await context.pauses.retriedSince(name);
  return since === undefined ? pause : { ...pause, since: Math.min(since, pause.since) };
}

async function rememberRetry(context: BreakerContext, name: string, { cause, since }: Pause): Promise<void> {
  if (cause === 'provider') await context.pauses.noteRetry(name, since);
}

function closedEvent({ clock }: BreakerContext, reason: string) {
  return { at: new Date(clock.now()).toISOString(), event: 'closed' as const, reason };
}

/** A provider that is tried again and is still down is said once, by when its trouble began. */
function pausedNotice(what: string, subject: string, { cause, reason, since, scope }: Pause): Notice {
  return {
    event: 'work:paused',
    subject,
    message: `${what} is paused by ${cause}: ${reason}`,
    details: { cause, ...(scope === undefined ? {} : { scope }) },
    key: `${subject}|${cause}|${scope ?? ''}|${since}`,
  };
}

function breakerEvent(event: 'opened' | 'paused', hold: Pause) {
  return {
    at: new Date(hold.since).toISOString(),
    event,
    ...(hold.scope === undefined ? {} : { scope: hold.scope }),
    reason: hold.reason,
  };
}
