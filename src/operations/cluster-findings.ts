import type { BatchRecord } from '../batches/batch-registry.ts';
import { isWorking } from '../batches/batch-states.ts';
import { type LiveWorker, workersOf } from '../batches/worker-registry.ts';
import type { Check } from '../doctor/check.ts';
import type { Pause } from '../ledger/pause.ts';

/** What `doctor` looks at beyond its own process. */
export interface ClusterFacts {
  readonly workers: readonly LiveWorker[];
  /** Whether workers are other processes; the embedded server's only worker is the command itself. */
  readonly shared: boolean;
  readonly open: readonly {
    readonly batch: BatchRecord;
    readonly unable: ReadonlyMap<string, string>;
    /** Slices of its workflow that wait or are worked on. */
    readonly pendingSlices: number;
  }[];
  readonly pauses: ReadonlyMap<string, readonly Pause[]>;
  readonly persistence: 'append-only file' | 'snapshots' | 'nothing' | 'unknown';
  /** Of this process. */
  readonly configHash: string;
}

/** Lines of `doctor` on workers, paused workflows, batches that have stopped and what Redis keeps. Pure. */
export function clusterFindings(facts: ClusterFacts): readonly Check[] {
  return [
    ...persistenceCheck(facts.persistence),
    ...workerChecks(facts),
    ...configChecks(facts),
    ...facts.workers.flatMap(({ id, trouble }): readonly Check[] =>
      trouble === undefined ? [] : [{ name: `worker ${id}`, state: 'warning', detail: `takes no slices: ${trouble}` }],
    ),
    ...[...facts.pauses].flatMap(([workflow, pauses]) =>
      pauses.map(({ cause, reason, since }): Check => {
        const detail = `paused since ${new Date(since).toISOString()} by ${cause}: ${reason} nightmill status says how to resume`;
        return { name: `workflow ${workflow}`, state: 'warning', detail };
      }),
    ),
    ...facts.open.flatMap((one) => stuckCheck(one, facts)),
  ];
}

function persistenceCheck(persistence: ClusterFacts['persistence']): readonly Check[] {
  const name = 'redis persistence';
  switch (persistence) {
    case 'nothing':
      return [
        {
          name,
          state: 'warning',
          detail:
            'it writes nothing to its disk: a restart loses batches, limits and what was spent. Set appendonly yes and appendfsync always',
        },
      ];
    case 'snapshots':
      return [
        {
          name,
          state: 'warning',
          detail:
            'snapshots only: a crash loses what was done and spent since the last one. Set appendonly yes and appendfsync always',
        },
      ];
    case 'append-only file':
      return [{ name, state: 'ok', detail: persistence }];
    case 'unknown':
      return [
        { name, state: 'ok', detail: 'not known: this user may not read its settings; look that appendonly is yes' },
      ];
  }
}

function workerChecks({ workers, shared, open }: ClusterFacts): readonly Check[] {
  if (workers.length > 0) {
    const hosts = [...new Set(workers.map(({ host }) => host))].join(', ');
    return [{ name: 'workers', state: 'ok', detail: `${workers.length} alive on ${hosts}` }];
  }
  if (!shared && open.length === 0) return [];
  const waiting =
    open.length === 0 ? '' : ` while ${open.length === 1 ? '1 batch has' : `${open.length} batches have`} not ended`;
  return [{ name: 'workers', state: 'warning', detail: `no worker is alive${waiting}: start nightmill worker` }];
}

/** What is said where live workers have another config, or other versions, than this process; also by `status`. Pure. */
export function configChecks({ workers, configHash }: Pick<ClusterFacts, 'workers' | 'configHash'>): readonly Check[] {
  const others = workers.filter((worker) => worker.configHash !== configHash);
  const versions = new Set(workers.map(({ version }) => version));
  const checks: Check[] = [];
  if (others.length > 0) {
    const names = others.map(({ id, configHash: hash }) => `${id} (${hash})`).join(', ');
    const detail = `this one is ${configHash}, and other configs are at work in ${names}: give all of them the same file and restart them`;
    checks.push({ name: 'worker configs', state: 'warning', detail });
  }
  if (versions.size > 1) {
    const detail = `workers of versions ${[...versions].join(', ')} are at work: upgrade all of them`;
    checks.push({ name: 'worker versions', state: 'warning', detail });
  }
  return checks;
}

function stuckCheck(
  { batch, unable, pendingSlices }: ClusterFacts['open'][number],
  { workers, pauses }: ClusterFacts,
): readonly Check[] {
  const paused = batch.pauses.length > 0 || (pauses.get(batch.workflow) ?? []).length > 0;
  if (!isWorking(batch.state) || batch.ending !== undefined || paused) return [];
  const serving = workersOf(workers, batch.workflow);
  const stuck = (detail: string): readonly Check[] => [{ name: `batch ${batch.batchId}`, state: 'warning', detail }];
  if (workers.length > 0 && serving.length === 0) {
    return stuck(`no live worker takes the workflow ${batch.workflow}: start one with it in its config`);
  }
  if (serving.length > 0 && serving.every(({ id, trouble }) => trouble !== undefined || unable.has(id))) {
    const reasons = new Set([...unable.values(), ...serving.flatMap(({ trouble = [] }) => trouble)]);
    return stuck(`none of its ${serving.length} live workers can work on it: ${[...reasons].join('; ')}`);
  }
  if (batch.slices > batch.slicesCommitted && pendingSlices === 0) {
    const left = batch.slices - batch.slicesCommitted;
    return stuck(`${left} slices are left and none is in the queue: give the same submit command again`);
  }
  return [];
}
