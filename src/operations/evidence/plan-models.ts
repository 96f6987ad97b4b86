import { type Config, workflowOf } from '../../../config/config.ts';
import { candidateWorkflow, workflowFor } from '../../../config/workflows/tenant-workflow.ts';
import { openStore } from '../../adapters/open-store.ts';
import { workflowHash } from '../../batches/workflow-hash.ts';
import { usdJson } from '../../money/money.ts';
import { type BatchPlan, planEach } from '../../plans/plan-batch.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import type { WorkflowSpec } from '../../workflows/workflow.ts';
import { throughputOf } from '../figures/throughput.ts';
import type { OpenedInputs } from '../open-inputs.ts';
import { sameVersion } from '../plan-documents.ts';
import { type HistoryAnswer, readPast } from '../read-history.ts';
import { type Marks, marksQuestion, planMarks } from './requirement-marks.ts';

export interface ModelPlan {
  /** Null: the cascade as the config has it. */
  readonly model: string | null;
  readonly plan: BatchPlan;
  /** Undefined: the workflow has no requirements. */
  readonly marks: Marks | undefined;
}

export interface PlanModelsOperation {
  readonly workflow: string;
  readonly opened: Pick<OpenedInputs, 'inputs'>;
  readonly models: readonly string[];
  readonly maxDocuments?: number | undefined;
  /** Whose cascade it is that the models replace. */
  readonly tenant?: string | undefined;
  /** Where batches are kept. Default: opened as the config says. */
  readonly store?: ObjectStore;
}

/**
 * What a batch would cost and take with the cascade, and with each of these models in its place. No call is made and nothing is stored.
 *
 * @throws {NightmillError} `workflow_unknown`, `input_invalid`; `usage`: no such model, or the workflow refuses it
 */
export async function planModels(
  config: Config,
  { workflow: name, opened, models, maxDocuments, tenant, store }: PlanModelsOperation,
): Promise<readonly ModelPlan[]> {
  const workflow = workflowFor(workflowOf(config, name), tenant);
  const specs = [workflow, ...models.map((model) => candidateWorkflow(workflow, model))].map(({ spec }) => spec);
  const { requirements } = workflow;
  const { history, recent, quotas } = await readPast(
    config,
    name,
    requirements === undefined ? {} : marksQuestion(specs),
  );
  const workflows = specs.map((spec) => ({
    spec,
    throughput: throughputOf(config, spec),
    ...ownHistory(history, spec),
  }));
  const plans = await planEach(opened.inputs, workflows, { maxLineBytes: config.ingest.maxLineBytes, maxDocuments });
  const planned = plans.map((plan, index) => ({ plan, spec: specs[index] ?? workflow.spec }));
  await using stack = new AsyncDisposableStack();
  const from = store ?? stack.adopt(await openStore(config.store), (opened) => opened.close());
  const marks = await planMarks(config, requirements, planned, { store: from, recent, quotas });
  return plans.map((plan, index) => ({
    model: index === 0 ? null : (models[index - 1] ?? null),
    plan,
    marks: marks?.[index],
  }));
}

function ownHistory(answer: HistoryAnswer, spec: WorkflowSpec) {
  const own = sameVersion(answer, workflowHash(spec));
  return own.kind === 'known' ? { history: own.history } : {};
}

/** `plan --models --json`. */
export function modelPlansJson(workflow: string, plans: readonly ModelPlan[]): object {
  const { documents = 0, problems = 0, inputTokens = 0 } = plans[0]?.plan ?? {};
  return {
    workflow,
    documents,
    problems,
    inputTokens,
    candidates: plans.map(({ model, plan, marks }) => ({
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
      evaluation: marks?.evaluation ?? null,
      requirements: marks?.verdicts ?? null,
    })),
  };
}
