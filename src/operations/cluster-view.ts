import type { App } from '../app.ts';
import type { BatchRecord } from '../batches/batch-registry.ts';
import { type LiveWorker, workersOf } from '../batches/worker-registry.ts';

/** What waits for workers of one workflow. */
export interface QueueView {
  readonly workflow: string;
  /** Slices that wait or are worked on. */
  readonly slices: number;
  /** When the oldest slice that is not done was submitted, milliseconds since the epoch; absent: there is none. */
  readonly oldestAt?: number;
  /** Live workers that take its slices. */
  readonly workersAlive: number;
}

export interface ClusterView {
  readonly workers: readonly LiveWorker[];
  /** Of the config's workflows, those of live workers and those of open batches, by name. */
  readonly queues: readonly QueueView[];
}

/** Who is working, and on what. */
export async function readCluster(app: Pick<App, 'config' | 'workers' | 'batches' | 'submit'>): Promise<ClusterView> {
  const [workers, open] = await Promise.all([app.workers.live(), app.batches.listOpen()]);
  const names = [
    ...app.config.workflows.keys(),
    ...workers.flatMap(({ workflows }) => workflows),
    ...open.map(({ workflow }) => workflow),
  ];
  const queues = [...new Set(names)].sort().map(async (workflow): Promise<QueueView> => {
    const oldestAt = oldestSlice(open, workflow);
    return {
      workflow,
      slices: await app.submit.jobs.pendingCount(workflow),
      ...(oldestAt === undefined ? {} : { oldestAt }),
      workersAlive: workersOf(workers, workflow).length,
    };
  });
  return { workers, queues: await Promise.all(queues) };
}

function oldestSlice(open: readonly BatchRecord[], workflow: string): number | undefined {
  const times = open
    .filter((batch) => batch.workflow === workflow && batch.slicesCommitted < batch.slices)
    .map(({ createdAt }) => createdAt);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** As `workers --json` and the API give it. */
export function clusterJson({ workers, queues }: ClusterView) {
  return {
    workers: workers.map(({ startedAt, heartbeatAgeMs, ...worker }) => ({
      ...worker,
      startedAt: new Date(startedAt).toISOString(),
      heartbeatAgeSeconds: Math.round(heartbeatAgeMs / 100) / 10,
    })),
    queues: queues.map(({ oldestAt, ...queue }) => ({
      ...queue,
      oldestAt: oldestAt === undefined ? null : new Date(oldestAt).toISOString(),
    })),
  };
}
