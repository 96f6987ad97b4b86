import { setTimeout as delay } from 'node:timers/promises';
import { batchTimezones } from '../../../config/config.ts';
import type { App } from '../../app.ts';
import { openBreaker } from '../../budgets/breaker.ts';
import type { PowerMachine, PowerNeed, PowerSettings } from '../../providers/power.ts';
import { modelsOfTier, poweredProviders, type Tier } from '../../workflows/workflow.ts';
import { PowerKeeper, powerNote, readPower } from './power-keeper.ts';

const LOOK_EVERY_MS = 2_000;
const DRAIN_LOOK_MS = 200;

/**
 * Switches the providers with `power:` on while open batches need them and off afterwards, until `signal` aborts. The worker
 * that keeps house does it for the cluster. The last worker that ends leaves none of them on.
 */
export async function keepPower(app: App, machine: PowerMachine, signal: AbortSignal): Promise<void> {
  const powered = new Map<string, PowerSettings>();
  for (const [name, { power }] of app.config.providers) if (power !== undefined) powered.set(name, power);
  if (powered.size === 0) return;
  const keeper = openKeeper(app, machine, powered);
  while (!signal.aborted) {
    try {
      if (app.housekeeping.house.isHeld) await keeper.round();
    } catch (error) {
      if (!signal.aborted) app.log.warn('housekeeping:failed', { message: (error as Error).message });
    }
    await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
  }
  await keeper.settled();
  // Calls in flight still get their replies.
  while (app.slices.runs.size > 0) await delay(DRAIN_LOOK_MS);
  try {
    const live = await app.workers.live();
    if (live.every(({ id }) => id === app.lease.workerId)) await keeper.stopAll('the last worker has ended');
  } catch (error) {
    // Where Redis is away, nobody knows who is left: the next worker continues with what it finds.
    app.log.warn('housekeeping:failed', { message: (error as Error).message });
  }
}

/**
 * A server that batches with this cascade wait for, because it is off or on its way; one that has failed is like any
 * provider that is out of reach. Undefined: none.
 */
export async function serverToWaitFor(app: App, cascade: readonly Tier[]): Promise<string | undefined> {
  for (const name of new Set(cascade.flatMap(modelsOfTier).map(({ provider }) => provider))) {
    if (app.config.providers.get(name)?.power === undefined) continue;
    const { state } = readPower(await app.memory.noted(powerNote(name)));
    if (state === 'off' || state === 'starting') return name;
  }
  return undefined;
}

function openKeeper(app: App, machine: PowerMachine, powered: ReadonlyMap<string, PowerSettings>): PowerKeeper {
  const { clock, log, ledger, owners, memory, store, config } = app;
  return new PowerKeeper({
    ...{ powered, machine, clock, log, ledger, owners, memory, store },
    newId: app.slices.newId,
    notify: app.breaker.notify,
    neededBy: async (provider) => await needsOf(app, provider),
    timezonesOf: (workflow) => batchTimezones(config, workflow),
    openBreaker: async (owner, reason) => await openBreaker(app.breaker, owner, reason),
  });
}

/** Workflows with open batches that may ask it, by name. Those that wait for the provider itself need it all the more. */
export async function needsOf(app: App, provider: string): Promise<readonly PowerNeed[]> {
  const batches = new Map<string, string[]>();
  const paused = new Map<string, boolean>();
  for (const { batchId, workflow, state, ending, pause } of await app.batches.listOpen()) {
    if (state !== 'queued' && state !== 'running') continue;
    if (ending !== undefined || pause !== undefined) continue;
    const isPaused = paused.get(workflow) ?? (await app.pauses.all(workflow)).some(({ cause }) => cause !== 'provider');
    paused.set(workflow, isPaused);
    if (isPaused) continue;
    const { workflow: spec } = await app.slices.submission(batchId);
    if (!poweredProviders(spec, new Set([provider])).includes(provider)) continue;
    batches.set(workflow, [...(batches.get(workflow) ?? []), batchId]);
  }
  return [...batches]
    .map(([workflow, ids]) => ({ workflow, batches: ids }))
    .sort((a, b) => (a.workflow < b.workflow ? -1 : 1));
}
