import { type Config, findWorkflow } from '../../config/config.ts';
import type { App } from '../app.ts';
import { modelWorkflow, queuesOf } from '../workflows/model-workflow.ts';
import { throughputOf } from './figures/throughput.ts';

/**
 * How many worker processes would be of use now, for an autoscaler: enough for the slices that wait and may be worked
 * on, and no more than it takes to use up what the providers allow. A paused workflow wants none.
 */
export async function workersWanted(app: Pick<App, 'config' | 'submit' | 'pauses'>): Promise<number> {
  let wanted = 0;
  for (const name of queuesOf(app.config)) {
    if ((await app.pauses.all(name)).length > 0) continue;
    const slices = await app.submit.jobs.pendingCount(name);
    if (slices === 0) continue;
    wanted += Math.max(1, Math.min(Math.ceil(slices / app.config.worker.slices), Math.ceil(mostFor(app.config, name))));
  }
  return wanted;
}

/** How many workers the provider's limits keep busy. Which models the requests to models are for is not known: the most of any. */
function mostFor(config: Config, workflow: string): number {
  const configured = findWorkflow(config, workflow)?.spec;
  const specs = configured === undefined ? [...config.models.values()].map(modelWorkflow) : [configured];
  // A process asks all hosts at once: it takes as many as the one with most room for more.
  const perHost = specs
    .flatMap((spec) => throughputOf(config, spec))
    .map(
      ({ limits: { requestsPerMinute = Number.POSITIVE_INFINITY }, callsPerMinute }) =>
        requestsPerMinute / callsPerMinute,
    );
  return perHost.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...perHost);
}
