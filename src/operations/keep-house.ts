import { CommandPowerMachine } from '../adapters/power-machine.ts';
import type { App } from '../app.ts';
import { keepPower } from '../worker/power/keep-power.ts';
import { keepCanaries } from './evidence/canary/canary.ts';
import { keepCheckpoints } from './recovery/checkpoints.ts';
import { keepRetention } from './recovery/retain.ts';
import { keepSchedules } from './schedules/schedules.ts';

/** What every process with a worker does beside its slices, until `signal` aborts; the cluster does each thing once. */
export async function keepHouse(app: App, workflows: readonly string[], signal: AbortSignal): Promise<void> {
  await Promise.all([
    keepSchedules(app, workflows, signal),
    keepCheckpoints(app, signal),
    keepRetention(app, signal),
    keepCanaries(app, signal),
    keepServers(app, signal),
  ]);
}

/** Self-hosted servers, on while open batches need them. */
export async function keepServers(app: App, signal: AbortSignal): Promise<void> {
  await keepPower(app, new CommandPowerMachine(app.config.commandEnvironment), signal);
}
