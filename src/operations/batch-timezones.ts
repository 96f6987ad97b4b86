import type { Config } from '../../config/config.ts';
import type { Timezones } from '../ledger/scope.ts';

/** Where the periods of a workflow's budgets begin; a workflow that has left the config counts in the global zone. */
export function batchTimezones(config: Config, workflow: string): Timezones {
  return { workflow: config.workflows.get(workflow)?.timezone ?? config.timezone, global: config.timezone };
}

/** Share of a limit from which a workflow drains, as it is configured now. */
export function drainAtOf(config: Config, workflow: string): number | undefined {
  return config.workflows.get(workflow)?.spec.drainAt;
}
