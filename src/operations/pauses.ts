import { knownWorkflows } from '../../config/config.ts';
import type { App } from '../app.ts';
import { type BatchState, hasEnded } from '../batches/batch-states.ts';
import { pauseBatch, pauseWorkflow, resumeBatch, resumeWorkflow } from '../budgets/breaker.ts';
import { NightmillError } from '../errors.ts';
import type { Pause } from '../ledger/pause.ts';
import { queuesOf } from '../workflows/model-workflow.ts';
import { writeAudit } from './audit.ts';
import { openRetryOf } from './read-status.ts';

export interface Paused {
  readonly name: string;
  readonly kind: 'workflow' | 'batch';
  /** False where it was so already. */
  readonly changed: boolean;
}

/**
 * Holds a workflow for the whole cluster, or one batch.
 *
 * @throws {NightmillError} `batch_unknown`: neither is known; `batch_state`: the batch has ended
 */
export async function pauseNamed(app: App, name: string): Promise<Paused> {
  const { kind, target, state } = await find(app, name);
  if (state !== undefined && hasEnded(state))
    throw new NightmillError('batch_state', `Cannot pause ${name}: it is ${state}, so nothing of it waits.`);
  const pause: Pause = { cause: 'operator', reason: 'paused by an operator.', since: app.clock.now() };
  const changed =
    kind === 'workflow'
      ? await pauseWorkflow(app.breaker, target, pause)
      : await pauseBatch(app.breaker, target, pause);
  if (changed) await writeAudit(app, `${kind}:pause`, name);
  return { name, kind, changed };
}

/** @throws {NightmillError} `batch_unknown` */
export async function resumeNamed(app: App, name: string): Promise<Paused> {
  const { kind, target } = await find(app, name);
  const reason = 'resumed by an operator';
  const changed =
    kind === 'workflow'
      ? await resumeWorkflow(app.breaker, target, reason)
      : await resumeBatch(app.breaker, target, reason);
  if (changed) await writeAudit(app, `${kind}:resume`, name);
  return { name, kind, changed };
}

/** A batch that is being asked again is held by holding the retry. */
async function find(
  app: App,
  name: string,
): Promise<{ readonly kind: Paused['kind']; readonly target: string; readonly state?: BatchState }> {
  if (queuesOf(app.config).includes(name)) return { kind: 'workflow', target: name };
  const batch = await app.batches.get(name);
  if (batch !== undefined) {
    const { batchId: target, state } = (await openRetryOf(app, batch)) ?? batch;
    return { kind: 'batch', target, state };
  }
  throw new NightmillError(
    'batch_unknown',
    `There is no workflow and no batch ${JSON.stringify(name)}; workflows: ${knownWorkflows(app.config)}.`,
  );
}
