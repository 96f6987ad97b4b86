import type { Config, WorkflowConfig } from '../../../config/config.ts';
import type { App } from '../../app.ts';
import type { BatchRecord } from '../../batches/batch-registry.ts';
import { workflowHash } from '../../batches/workflow-hash.ts';
import { StoreError } from '../../errors.ts';
import type { Evaluation } from '../../evaluation/evaluation.ts';
import type { FoundQuota } from '../../ledger/ledger.ts';
import { measuredFacts } from '../../plans/measured-facts.ts';
import type { BatchPlan } from '../../plans/plan-batch.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { type CandidateFacts, judge, type Requirements, type Verdict } from '../../workflows/requirements.ts';
import { modelsOfTier, poolOf, type WorkflowSpec } from '../../workflows/workflow.ts';
import type { PastQuestion } from '../read-history.ts';
import { foundQuotas } from '../read-status.ts';
import { configFacts, type DocumentLoad, nightHours } from './candidate-facts.ts';
import { storedEvaluations } from './evaluations.ts';
import { type LatestBatch, LOOKED_THROUGH, latestBatch } from './latest-batch.ts';
import { DELTA } from './meets.ts';

/** What is known of a workflow's documents before its first batch: each takes a call. */
const MIN_LOAD: DocumentLoad = { calls: 1, inputTokens: 0, outputTokens: 0 };

/** What a way of answering is judged by beside the config; what is absent is not known. */
export interface Known {
  readonly plan?: Pick<BatchPlan, 'documents' | 'cost' | 'unpriced' | 'firstTier'> | undefined;
  readonly evaluation?: Evaluation | undefined;
  readonly latest?: LatestBatch | undefined;
}

type Limits = Pick<Config, 'providers' | 'pools'>;

/**
 * What a plan, an evaluation and the latest batch say about requirements. Dollars are those of the plan, as expected, else of the latest batch; quality and
 * format are the evaluation's; latency is of whichever of evaluation (a document's) and batch (a call's) is newer.
 *
 * @param alpha as `measuredFacts`
 */
export function knownFacts(
  config: Limits,
  spec: WorkflowSpec,
  requirements: Requirements,
  { plan, evaluation, latest }: Known,
  alpha = DELTA,
): CandidateFacts {
  const metric = requirements.minQuality?.metric;
  const { costPerDocument: _, ...measured } =
    evaluation === undefined ? {} : measuredFacts(evaluation, { metric, alpha, seed: 1 });
  const batch = latest !== undefined && latest.finishedAt > (evaluation?.evaluatedAt ?? '') ? latest : undefined;
  const callSeconds = batch === undefined ? medianSeconds(evaluation) : batch.callSeconds;
  const cost = plannedCost(plan, latest);
  const load = latest?.load ?? plannedLoad(plan, callSeconds);
  return {
    ...configFacts(config, spec),
    ...measured,
    ...(batch?.p95Seconds === undefined ? {} : { p95Seconds: exact(batch.p95Seconds) }),
    ...(cost === undefined ? {} : { costPerDocument: exact(cost) }),
    ...nightHours(config, spec, requirements, load, callSeconds),
  };
}

const exact = (value: number) => ({ value, bound: value });

function medianSeconds(evaluation: Evaluation | undefined): number | undefined {
  const median = evaluation?.latencyMs?.median ?? 0;
  return median > 0 ? median / 1_000 : undefined;
}

function plannedCost(plan: Known['plan'], latest: LatestBatch | undefined): number | undefined {
  if (plan === undefined) return latest?.cost;
  return plan.documents === 0 || plan.unpriced.length > 0 ? undefined : plan.cost.expected / plan.documents;
}

/** Replies count as long as they may be where the hours are estimated, and as nothing where the least hours are asked for. */
function plannedLoad(plan: Known['plan'], callSeconds: number | undefined): DocumentLoad {
  if (plan === undefined || plan.documents === 0) return MIN_LOAD;
  const { documents, firstTier } = plan;
  return {
    calls: firstTier.calls / documents,
    inputTokens: firstTier.inputTokens / documents,
    outputTokens: callSeconds === undefined ? 0 : firstTier.outputTokens / documents,
  };
}

/** The config's limits, or lower ones that the headers of a provider name. */
export function toldLimits(
  { providers, pools }: Limits,
  quotas: readonly (Pick<FoundQuota, 'told'> & { readonly pool: string })[],
): Limits {
  const told = quotas.map(({ pool, told: named }) => {
    const stated = pools.get(pool) ?? {};
    const lower = Object.entries(named).map(([name, limit]) => [
      name,
      Math.min(limit, stated[name as keyof typeof named] ?? limit),
    ]);
    return [pool, { ...stated, ...Object.fromEntries(lower) }] as const;
  });
  return { providers, pools: new Map([...pools, ...told]) };
}

function poolsOfSpecs(specs: readonly WorkflowSpec[]): readonly string[] {
  return [...new Set(specs.flatMap(({ cascade }) => cascade.flatMap(modelsOfTier).map(poolOf)))];
}

/** By config hash, the newest evaluation of each of these versions that has one. */
async function newestEvaluations(
  store: ObjectStore,
  specs: readonly WorkflowSpec[],
): Promise<ReadonlyMap<string, Evaluation>> {
  const hashes = new Set(specs.map(workflowHash));
  const found = new Map<string, Evaluation>();
  for await (const evaluation of storedEvaluations(store)) {
    const hash = evaluation.hashes['config'] ?? '';
    if (!hashes.has(hash) || (found.get(hash)?.evaluatedAt ?? '') > evaluation.evaluatedAt) continue;
    found.set(hash, evaluation);
  }
  return found;
}

/** A workflow's marks: which requirements it meets, which not and by how much, and what is not known. */
export interface Marks {
  /** The newest stored evaluation of this very version; null: there is none. */
  readonly evaluation: string | null;
  readonly verdicts: readonly Verdict[];
}

/** What marks are read from. */
export interface MarksSource {
  readonly store: ObjectStore;
  /** Batches of the cluster, the newest first; at most {@link LOOKED_THROUGH}. */
  readonly recent: readonly Pick<BatchRecord, 'batchId' | 'workflow' | 'state'>[];
  readonly quotas: readonly (Pick<FoundQuota, 'told'> & { readonly pool: string })[];
}

/** What the cluster is asked for marks of these. */
export function marksQuestion(specs: readonly WorkflowSpec[]): PastQuestion {
  return { recent: LOOKED_THROUGH, pools: poolsOfSpecs(specs) };
}

/**
 * Marks of ways of answering the same documents, each with its plan. A plan needs no store: where it cannot be read, less is known.
 *
 * @param requirements undefined: there are none, and nothing is read
 * @returns in the order given; undefined where there are no requirements
 */
export async function planMarks(
  config: Limits,
  requirements: Requirements | undefined,
  planned: readonly { readonly spec: WorkflowSpec; readonly plan: NonNullable<Known['plan']> }[],
  { store, recent, quotas }: MarksSource,
): Promise<readonly Marks[] | undefined> {
  if (requirements === undefined) return undefined;
  const specs = planned.map(({ spec }) => spec);
  const { evaluations, latest } = await readStanding(store, recent, specs);
  const limits = toldLimits(config, quotas);
  return planned.map(({ spec, plan }, index) => {
    const evaluation = evaluations.get(workflowHash(spec));
    const known = { plan, evaluation, latest: latest[index] };
    const facts = knownFacts(limits, spec, requirements, known, DELTA / planned.length);
    return { evaluation: evaluation?.run ?? null, verdicts: judge(requirements, facts) };
  });
}

async function readStanding(store: ObjectStore, recent: MarksSource['recent'], specs: readonly WorkflowSpec[]) {
  try {
    const evaluations = await newestEvaluations(store, specs);
    return { evaluations, latest: await Promise.all(specs.map((spec) => latestBatch(store, recent, spec))) };
  } catch (error) {
    if (error instanceof StoreError) return { evaluations: new Map<string, Evaluation>(), latest: [] };
    throw error;
  }
}

/**
 * Requirements of a workflow that it does not meet with the latency and cost of its latest batch and the quota of today, for people.
 * What is not known is no warning.
 */
export async function requirementWarnings(
  app: Pick<App, 'config' | 'store' | 'submit' | 'ledger'>,
  { spec, requirements }: Pick<WorkflowConfig, 'spec' | 'requirements'>,
): Promise<readonly string[]> {
  if (requirements === undefined) return [];
  const recent = await app.submit.batches.list(LOOKED_THROUGH);
  const latest = await latestBatch(app.store, recent, spec);
  const limits = toldLimits(app.config, await foundQuotas(app, poolsOfSpecs([spec])));
  return warningsOf(spec.name, judge(requirements, knownFacts(limits, spec, requirements, { latest })));
}

/** For people: what is not met. */
export function warningsOf(workflow: string, verdicts: readonly Verdict[]): readonly string[] {
  return verdicts.flatMap(({ requirement, state, want, found, by }) =>
    state === 'unmet'
      ? [`${workflow} does not meet its requirement ${requirement}: wanted ${want}, now ${found}${offBy(by)}.`]
      : [],
  );
}

function offBy(by: string | undefined): string {
  return by === undefined ? '' : ` (off by ${by})`;
}
