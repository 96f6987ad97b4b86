import type { App } from '../app.ts';
import { throughputOf } from './plan-documents.ts';

/**
 * How many worker processes would be of use now, for an autoscaler: enough for the slices that wait and may be worked
 * on, and no more than it takes to use up what the providers allow. A paused workflow wants none.
 */
export async function workersWanted(app: Pick<App, 'config' | 'submit' | 'pauses'>): Promise<number> {
  let wanted = 0;
  for (const [name, { spec }] of app.config.workflows) {
    if ((await app.pauses.all(name)).length > 0) continue;
    const slices = await app.submit.jobs.pendingCount(name);
    if (slices === 0) continue;
    // A process asks all hosts at once: it takes as many as the one with most room for more.
    const perHost = throughputOf(app.config, spec).map(
      ({ limits: { requestsPerMinute = Number.POSITIVE_INFINITY }, callsPerMinute }) =>
        requestsPerMinute / callsPerMinute,
    );
    const most = perHost.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...perHost);
    wanted += Math.max(1, Math.min(Math.ceil(slices / app.config.worker.slices), Math.ceil(most)));
  }
  return wanted;
}
