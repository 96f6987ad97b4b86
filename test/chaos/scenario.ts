import { chance } from '../../src/simulator/random.ts';
import { type Blow, drawBlows, drawFaults, type FaultName } from './faults.ts';

/** Something that happens to one worker at a random moment. */
export interface WorkerAction {
  /** Milliseconds after the action before it. */
  readonly afterMs: number;
  /** Then wait until some worker has written the rows of a slice, which it commits next. */
  readonly atCommit: boolean;
  /** `kill`: SIGKILL, replaced at once. `stop`: SIGSTOP beyond the lock, then SIGCONT. `end`: SIGTERM, replaced. */
  readonly kind: 'kill' | 'stop' | 'end';
  /** Which of the running workers, from 0 up to but not including 1. */
  readonly victim: number;
  /** For `stop`. */
  readonly stoppedMs: number;
}

export type Action = WorkerAction | Blow;

export interface ScenarioBatch {
  readonly id: string;
  readonly workflow: 'triage' | 'digest';
  readonly documents: number;
  /** How it is submitted. Absent: by the harness. */
  readonly through?: 'command' | 'server';
  /** What ends it before its work is done. */
  readonly endedBy?: 'cancel' | 'expires';
}

/** Everything about one chaos run that is decided before it starts. */
export interface Scenario {
  readonly seed: number;
  readonly workers: number;
  readonly batches: readonly ScenarioBatch[];
  /** Which limit lies in the middle of the work. `batch` is that of the first batch. */
  readonly limited: 'batch' | 'workflow' | 'global';
  /** Part of the estimated cost that the first limit allows. */
  readonly limitShare: number;
  /** Part of a limit that must have been spent when nothing moves any more: of a small one, a single call is more than 2 %. */
  readonly minUse: number;
  /** How often the limit is raised: all but the last raise only move it a little further. */
  readonly raises: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly latency: { readonly p50Ms: number; readonly p95Ms: number };
  readonly concurrency: number;
  readonly slices: number;
  readonly sliceDocuments: number;
  readonly maxCallAttempts: number;
  readonly timeoutSeconds: number;
  readonly acceptAt: number;
  /** What befalls the cluster beside workers that die and a provider that fails. */
  readonly clusterFaults: readonly FaultName[];
  readonly actions: readonly Action[];
  /** Moments at which every worker is killed at once; at `raise`, as if in the middle of resuming work. */
  readonly powerCuts: ReadonlySet<'open' | 'raise' | 'finalize'>;
}

export interface ScenarioOptions {
  readonly faults?: readonly FaultName[];
  readonly small?: boolean;
}

/** Most that each fault may take of the calls. */
const FAULTS = {
  serverError: 0.05,
  rateLimited: 0.05,
  resetAfterBilling: 0.02,
  resetBeforeBilling: 0.02,
  garbage: 0.015,
  truncated: 0.05,
  wrongLabel: 0.05,
  badJson: 0.05,
  refusal: 0.02,
  slow: 0.04,
  blip: 0.05,
  empty: 0.04,
  promptCut: 0.04,
};

/**
 * The scenario of a seed: the same in every process. The moments at which things happen to processes are not.
 *
 * @param options.faults those of the seed, if absent
 * @param options.small a quarter of the documents, three workers, fewer actions and a patient client: to try one fault
 */
export function drawScenario(seed: number, options: ScenarioOptions = {}): Scenario {
  const { faults: clusterFaults = drawFaults(seed), small = false } = options;
  const draw = (purpose: string) => chance(seed, 'chaos', purpose);
  const between = (purpose: string, low: number, high: number) => low + Math.floor(draw(purpose) * (high - low + 1));
  const workers = small ? 3 : seed % 5 === 1 ? 8 : between('workers', 3, 5);
  const limited = (['batch', 'workflow', 'global'] as const)[seed % 3] ?? 'batch';
  const batches = [...drawBatches(between, draw), ...moreBatches(clusterFaults, between)].map((batch) =>
    small ? { ...batch, documents: Math.ceil(batch.documents / 4) } : batch,
  );
  const powerCuts = new Set<'open' | 'raise' | 'finalize'>();
  for (const moment of ['open', 'raise', 'finalize'] as const) {
    if (draw(`power cut ${moment}`) < 0.3) powerCuts.add(moment);
  }
  if (clusterFaults.includes('finalizer-kill')) {
    powerCuts.add('finalize');
  }
  return {
    seed,
    workers,
    batches,
    limited,
    limitShare: 0.4 + 0.25 * draw('limit share'),
    // Of a small limit one summary takes up to a seventh; what the refused call would have cost is checked beside it.
    minUse: small ? 0.8 : 0.98,
    raises: small ? 1 : between('raises', 1, 2),
    faults: Object.fromEntries(Object.entries(FAULTS).map(([name, most]) => [name, round(most * draw(name))])),
    latency: { p50Ms: between('p50', 5, 25), p95Ms: between('p95', 30, 90) },
    concurrency: between('concurrency', 2, 6),
    slices: between('slices', 1, 3),
    sliceDocuments: between('slice documents', 4, 16),
    maxCallAttempts: between('attempts', 2, 5),
    timeoutSeconds: round((0.4 + 0.6 * draw('timeout')) * (small ? 4 : 1)),
    acceptAt: round(0.6 + 0.3 * draw('accept at')),
    clusterFaults,
    actions: mix(
      draw,
      Array.from({ length: small ? 2 : between('actions', 4, 8) }, (_, index) => drawAction(draw, index)),
      drawBlows(seed, clusterFaults),
    ),
    powerCuts,
  };
}

function drawBatches(
  between: (purpose: string, low: number, high: number) => number,
  draw: (purpose: string) => number,
): readonly ScenarioBatch[] {
  const batches: ScenarioBatch[] = [{ id: 'first', workflow: 'triage', documents: between('first', 300, 420) }];
  if (draw('second') < 0.7) batches.push({ id: 'second', workflow: 'triage', documents: between('second', 60, 160) });
  if (draw('third') < 0.6) batches.push({ id: 'third', workflow: 'digest', documents: between('third', 12, 30) });
  return batches;
}

/** The workers' actions in their order, with the blows between them. */
function mix(
  draw: (purpose: string) => number,
  actions: readonly WorkerAction[],
  blows: readonly Blow[],
): readonly Action[] {
  const mixed: Action[] = [...actions];
  for (const [index, blow] of blows.entries())
    mixed.splice(Math.floor(draw(`place ${index}`) * (mixed.length + 1)), 0, blow);
  return mixed;
}

/** Batches that a fault needs to strike at. They are of the workflow whose limit may be the one in the middle of the work. */
function moreBatches(
  faults: readonly FaultName[],
  between: (purpose: string, low: number, high: number) => number,
): readonly ScenarioBatch[] {
  const batch = (id: string, more: Partial<ScenarioBatch>): ScenarioBatch => ({
    id,
    workflow: 'triage',
    documents: between(id, 60, 120),
    ...more,
  });
  return [
    ...(faults.includes('submitter-kill') ? [batch('by-command', { through: 'command' })] : []),
    ...(faults.includes('server-kill') ? [batch('by-server', { through: 'server' })] : []),
    ...(faults.includes('cancel') ? [batch('cancelled', { endedBy: 'cancel' })] : []),
    ...(faults.includes('expires') ? [batch('expiring', { endedBy: 'expires' })] : []),
  ];
}

function drawAction(draw: (purpose: string) => number, index: number): WorkerAction {
  const kind = draw(`kind ${index}`);
  return {
    afterMs: Math.floor(50 + 900 * draw(`after ${index}`) ** 2),
    atCommit: draw(`at commit ${index}`) < 0.5,
    kind: kind < 0.65 ? 'kill' : kind < 0.87 ? 'stop' : 'end',
    victim: draw(`victim ${index}`),
    stoppedMs: Math.floor(2_200 + 1_500 * draw(`stopped ${index}`)),
  };
}

function round(share: number): number {
  return Number(share.toFixed(4));
}
