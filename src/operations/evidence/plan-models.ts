import { type Config, type WorkflowConfig, workflowOf } from '../../../config/config.ts';
import { candidateWorkflow } from '../../../config/workflows/tenant-workflow.ts';
import { openStore } from '../../adapters/open-store.ts';
import { workflowHash } from '../../batches/workflow-hash.ts';
import { StoreError } from '../../errors.ts';
import type { Evaluation } from '../../evaluation/evaluation.ts';
import { usdJson } from '../../money/money.ts';
import { measuredFacts } from '../../plans/measured-facts.ts';
import { type BatchPlan, planEach } from '../../plans/plan-batch.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { type CandidateFacts, judge, type Requirements, type Verdict } from '../../workflows/requirements.ts';
import type { WorkflowSpec } from '../../workflows/workflow.ts';
import type { OpenedInputs } from '../open-inputs.ts';
import { sameVersion, throughputOf } from '../plan-documents.ts';
import { type HistoryAnswer, readPast } from '../read-history.ts';
import { configFacts, nightHours } from './candidate-facts.ts';
import { storedEvaluations } from './evaluations.ts';
import { DELTA } from './meets.ts';

export interface ModelPlan {
  /** Null: the cascade as the config has it. */
  readonly model: string | null;
  readonly plan: BatchPlan;
  /** The newest stored evaluation of the workflow with this model; null: there is none, or no requirement asks for it. */
  readonly evaluation: string | null;
  /** Null: the workflow has no requirements. */
  readonly verdicts: readonly Verdict[] | null;
}

export interface PlanModelsOperation {
  readonly workflow: string;
  readonly opened: Pick<OpenedInputs, 'inputs'>;
  readonly models: readonly string[];
  readonly maxDocuments?: number | undefined;
}

/**
 * What a batch would cost and take with the cascade, and with each of these models in its place. No call is made and nothing is stored.
 *
 * @throws {NightmillError} `workflow_unknown`, `input_invalid`; `usage`: no such model, or the workflow refuses it
 */
export async function planModels(
  config: Config,
  { workflow: name, opened, models, maxDocuments }: PlanModelsOperation,
): Promise<readonly ModelPlan[]> {
  const workflow = workflowOf(config, name);
  const specs = [workflow, ...models.map((model) => candidateWorkflow(config, workflow, model))].map(
    ({ spec }) => spec,
  );
  const { history } = await readPast(config, name, []);
  const planned = specs.map((spec) => ({ spec, throughput: throughputOf(config, spec), ...ownHistory(history, spec) }));
  const reading = { maxLineBytes: config.ingest.maxLineBytes, maxDocuments };
  const plans = await planEach(opened.inputs, planned, reading);
  const evaluations = await evaluationsOf(config, workflow, specs);
  return plans.map((plan, index) => {
    const spec = specs[index] ?? workflow.spec;
    const evaluation = evaluations.get(workflowHash(spec));
    const { requirements } = workflow;
    const facts = () => plannedFacts(config, spec, requirements ?? {}, plan, evaluation, DELTA / specs.length);
    return {
      model: index === 0 ? null : (models[index - 1] ?? null),
      plan,
      evaluation: evaluation?.run ?? null,
      verdicts: requirements === undefined ? null : judge(requirements, facts()),
    };
  });
}

function ownHistory(answer: HistoryAnswer, spec: WorkflowSpec) {
  const own = sameVersion(answer, workflowHash(spec));
  return own.kind === 'known' ? { history: own.history } : {};
}

/** By config hash, where requirements ask for what they say. */
async function evaluationsOf(
  config: Config,
  { requirements }: WorkflowConfig,
  specs: readonly WorkflowSpec[],
): Promise<ReadonlyMap<string, Evaluation>> {
  if (requirements === undefined) return new Map();
  await using stack = new AsyncDisposableStack();
  try {
    const store = stack.adopt(await openStore(config.store), (opened) => opened.close());
    return await newestOf(store, new Set(specs.map(workflowHash)));
  } catch (error) {
    // A plan needs no store.
    if (error instanceof StoreError) return new Map();
    throw error;
  }
}

async function newestOf(store: ObjectStore, hashes: ReadonlySet<string>): Promise<ReadonlyMap<string, Evaluation>> {
  const found = new Map<string, Evaluation>();
  for await (const evaluation of storedEvaluations(store)) {
    const hash = evaluation.hashes['config'] ?? '';
    if (!hashes.has(hash) || (found.get(hash)?.evaluatedAt ?? '') > evaluation.evaluatedAt) continue;
    found.set(hash, evaluation);
  }
  return found;
}

/**
 * What a plan and, for quality, format and latency, an evaluation say about requirements. Dollars are as expected.
 *
 * @param evaluation undefined: none is known
 * @param alpha as `measuredFacts`
 */
export function plannedFacts(
  config: Pick<Config, 'providers' | 'pools'>,
  spec: WorkflowSpec,
  requirements: Requirements,
  plan: Pick<BatchPlan, 'documents' | 'cost' | 'unpriced' | 'firstTier'>,
  evaluation: Evaluation | undefined,
  alpha: number,
): CandidateFacts {
  const { documents, cost, unpriced, firstTier } = plan;
  const metric = requirements.minQuality?.metric;
  const { costPerDocument: _, ...measured } =
    evaluation === undefined ? {} : measuredFacts(evaluation, { metric, alpha, seed: 1 });
  if (documents === 0) return { ...configFacts(config, spec), ...measured };
  const each = cost.expected / documents;
  const load = {
    calls: firstTier.calls / documents,
    inputTokens: firstTier.inputTokens / documents,
    outputTokens: firstTier.outputTokens / documents,
  };
  const median = evaluation?.latencyMs?.median ?? 0;
  return {
    ...configFacts(config, spec),
    ...measured,
    ...(unpriced.length > 0 ? {} : { costPerDocument: { value: each, bound: each } }),
    ...nightHours(config, spec, requirements, load, median > 0 ? median / 1_000 : undefined),
  };
}

/** `plan --models --json`. */
export function modelPlansJson(workflow: string, plans: readonly ModelPlan[]): object {
  const { documents = 0, problems = 0, inputTokens = 0 } = plans[0]?.plan ?? {};
  return {
    workflow,
    documents,
    problems,
    inputTokens,
    candidates: plans.map(({ model, plan, evaluation, verdicts }) => ({
      model,
      calls: plan.calls,
      // Unknown is not nothing.
      costUsd:
        plan.unpriced.length > 0
          ? null
          : {
              low: usdJson(plan.cost.low),
              expected: usdJson(plan.cost.expected),
              worst: usdJson(plan.cost.worst),
            },
      unpriced: plan.unpriced,
      minutes: plan.minutes,
      fromHistory: plan.fromHistory,
      evaluation,
      requirements: verdicts,
    })),
  };
}
