import { catalogueHint } from '../../config/catalogue.ts';
import type { Config, WorkflowConfig } from '../../config/config.ts';
import { batchTimezones, workflowOf } from '../../config/config.ts';
import { hasBudget } from '../../config/load.ts';
import { version } from '../../config/version.ts';
import { candidateWorkflow, type TenantWorkflow, workflowFor } from '../../config/workflows/tenant-workflow.ts';
import type { App } from '../app.ts';
import type { AnswerVersion } from '../batches/answered-texts.ts';
import type { BatchRecord } from '../batches/batch-registry.ts';
import type { PriceOrigin } from '../batches/batch-submission.ts';
import { requirePrices, type Submitted, submitBatch } from '../batches/submit-batch.ts';
import { workflowHash } from '../batches/workflow-hash.ts';
import type { EarlierAnswers } from '../batches/write-slices.ts';
import type { DocumentSource } from '../documents/document-source.ts';
import type { ReadSummary } from '../documents/read-documents.ts';
import { NightmillError } from '../errors.ts';
import type { NanoUsd } from '../money/money.ts';
import { StoredAnswers } from '../results/earlier-answers.ts';
import { isTraceparent } from '../runtime/trace-context.ts';
import { promptIdentity } from '../tasks/prompt-hash.ts';
import { MODEL_WORKFLOW, modelWorkflow, namedModels } from '../workflows/model-workflow.ts';
import { allTiers, modelsOfTier, type WorkflowSpec } from '../workflows/workflow.ts';
import { writeAudit } from './audit.ts';
import { requireOpenGate } from './evidence/gate.ts';
import { noteChanges } from './evidence/model-changes.ts';
import { requirementWarnings } from './evidence/requirement-marks.ts';
import { startCheckpoints } from './recovery/checkpoints.ts';

export interface SubmitOperation {
  readonly workflow: string;
  /** Requests for this model of the config, under the workflow `models`. Default: the workflow as it is configured. */
  readonly model?: string | undefined;
  /** What stands in place of the workflow's cascade, to see how it does, as `candidateWorkflow` reads it. Default: the cascade. */
  readonly candidate?: string | undefined;
  readonly source: DocumentSource;
  /** Default: made from the workflow, the tenant and the content. */
  readonly id?: string | undefined;
  /** Most that the batch may cost. Default: the workflow's. */
  readonly budget?: NanoUsd | undefined;
  readonly tenant?: string | undefined;
  /** 0, the default, is first. */
  readonly priority?: number | undefined;
  /** Wanted by then, milliseconds since the epoch. */
  readonly deadline?: number | undefined;
  /** Ended then with what is done, milliseconds since the epoch. */
  readonly expiresAt?: number | undefined;
  readonly name?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Bad lines become error rows. Default: they refuse the batch. */
  readonly skipInvalid?: boolean | undefined;
  readonly maxDocuments?: number | undefined;
  /** Documents that an earlier batch of this workflow has answered take that answer. Default: all are asked. */
  readonly newOnly?: boolean | undefined;
  /** It is asked to find out how good the workflow is, so that its gate does not count. Default: it counts. */
  readonly isEvaluation?: boolean | undefined;
  readonly retryOf?: string | undefined;
  /** For a retry: what had become of its documents. */
  readonly retried?: BatchRecord['retried'] | undefined;
  /** The trace that whoever asks is part of. What is no `traceparent` of W3C counts as absent. Default: the environment's. */
  readonly traceparent?: string | undefined;
  readonly onSummary?: (summary: ReadSummary) => void;
  /** Told of each requirement that cannot be met, before anything is stored. */
  readonly onWarning?: (warning: string) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface SubmitAnswer extends Submitted {
  /** What was asked for and has no effect, because the batch was there already; e.g. `priority stays 0`. */
  readonly ignored: readonly string[];
  /** Documents whose text this very version of the workflow has answered before, and about what that cost. */
  readonly answeredBefore: { readonly documents: number; readonly cost: NanoUsd };
  /** Requirements of the workflow that it does not meet, for people; none for an evaluation or a retry. */
  readonly warnings: readonly string[];
}

/**
 * Stores and enqueues documents as a batch; the same content again joins the batch that is there.
 *
 * @throws {NightmillError} `workflow_unknown`, `tenant_unknown`, `price_unknown`, `calibration_missing`, `gate_closed`, `input_invalid`,
 *   `input_changed`, `batch_exists`, `usage`
 */
export async function submitDocuments(app: App, operation: SubmitOperation): Promise<SubmitAnswer> {
  const { config } = app;
  const { budget, tenant, deadline, expiresAt, name, labels, retryOf, retried, signal } = operation;
  const { model } = operation;
  const workflow: TenantWorkflow =
    model === undefined ? workflowOrCandidate(config, operation) : { ...modelWorkflowOf(config, model), priority: 0 };
  if (tenant !== undefined) requireTenant(config, tenant);
  if (workflow.uncalibrated !== undefined) throw new NightmillError('calibration_missing', workflow.uncalibrated);
  requirePrices(workflow.spec, hasBudget(config, workflow, budget), (model) => {
    const provider = config.providers.get(model.provider);
    return provider === undefined ? undefined : catalogueHint(provider.baseUrl, model.id, config.prices);
  });
  if (operation.isEvaluation !== true) await requireOpenGate(app, workflow);
  const isTrial = operation.candidate !== undefined && workflow.spec !== workflowOf(config, operation.workflow).spec;
  const isNight = operation.isEvaluation !== true && retryOf === undefined;
  const warnings = isNight ? await requirementWarnings(app, workflow) : [];
  for (const warning of warnings) operation.onWarning?.(warning);
  await startCheckpoints(app);
  const limit = budget ?? workflow.budget.batch;
  const answers = new StoredAnswers(app.submit.store, answerVersion(workflow.spec, tenant));
  const submitted = await submitBatch(app.submit, {
    source: operation.source,
    workflow: workflow.spec,
    timezones: batchTimezones(config, operation.workflow),
    ...(operation.id === undefined ? {} : { id: operation.id }),
    ...(tenant === undefined ? {} : { tenant }),
    priority: operation.priority ?? workflow.priority,
    ...(workflow.plan === undefined ? {} : { plan: workflow.plan }),
    ...(deadline === undefined ? {} : { deadline }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(name === undefined ? {} : { name }),
    ...(labels === undefined ? {} : { labels }),
    ...(retryOf === undefined ? {} : { retryOf }),
    ...(retried === undefined ? {} : { retried }),
    ...(isTrial ? { isTrial } : {}),
    ...(limit === undefined ? {} : { budget: limit }),
    traceparent: isTraceparent(operation.traceparent) ? operation.traceparent : config.tracing?.traceparent,
    origin: { program: version(), submittedBy: app.actor, prices: priceOrigins(config, workflow.spec) },
    isBudgetStated: budget !== undefined,
    skipInvalid: operation.skipInvalid === true,
    maxDocuments: operation.maxDocuments,
    ...(retryOf === undefined ? { earlier: operation.newOnly === true ? answers : countOnly(answers) } : {}),
    ...config.ingest,
    ...(operation.onSummary === undefined ? {} : { onSummary: operation.onSummary }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (submitted.kind === 'submitted' && retryOf === undefined) {
    await writeAudit(app, 'batch:submit', submitted.batchId);
    // What is only tried is no change.
    if (!isTrial) await noteChanges(app, workflow.spec, submitted.batchId);
  }
  return {
    ...submitted,
    ignored: submitted.kind === 'joined' ? ignoredOptions(operation, submitted.batch) : [],
    answeredBefore: answers.found,
    warnings,
  };
}

/** A workflow as it is for a tenant, or with a candidate in place of its cascade. */
export function workflowOrCandidate(
  config: Config,
  { workflow: name, candidate, tenant }: Pick<SubmitOperation, 'workflow' | 'candidate' | 'tenant'>,
): TenantWorkflow {
  const workflow = workflowOf(config, name);
  return candidate === undefined ? workflowFor(workflow, tenant) : candidateWorkflow(workflow, candidate);
}

/**
 * The workflow of requests to one model of the config. Its limits are those of the workflow `models`, where the config has one.
 *
 * @throws {NightmillError} `workflow_unknown`: there is no such model
 */
function modelWorkflowOf(config: Config, name: string): WorkflowConfig {
  const model = config.models.get(name);
  if (model === undefined || !namedModels(config.models).includes(name)) {
    throw new NightmillError(
      'workflow_unknown',
      `There is no model ${JSON.stringify(name)} that requests can be sent to.`,
    );
  }
  const configured = config.workflows.get(MODEL_WORKFLOW);
  return { budget: {}, timezone: config.timezone, ...configured, spec: modelWorkflow(model) };
}

/** Which earlier answers are as good as new ones. */
export function answerVersion(spec: WorkflowSpec, tenant: string | undefined): AnswerVersion {
  return {
    workflow: spec.name,
    configHash: workflowHash(spec),
    promptHash: promptIdentity(spec).sha256,
    tenant,
  };
}

function priceOrigins({ modelFacts }: Config, workflow: WorkflowSpec): Readonly<Record<string, PriceOrigin>> {
  const names = new Set(
    allTiers(workflow)
      .flatMap(modelsOfTier)
      .map(({ name }) => name),
  );
  return Object.fromEntries(
    [...modelFacts].flatMap(([name, { price, priceAsOf }]) =>
      price === 'none' || !names.has(name)
        ? []
        : [[name, { source: price, ...(priceAsOf === undefined ? {} : { asOf: priceAsOf }) }]],
    ),
  );
}

function countOnly(answers: StoredAnswers): EarlierAnswers {
  return {
    take: async (hash) => {
      await answers.has(hash);
      return undefined;
    },
  };
}

/** A mistyped tenant would escape its limit without a word, so where tenants are named only these are known. */
function requireTenant({ tenants, allowUnknownTenants }: Config, tenant: string): void {
  if (tenants.has(tenant) || allowUnknownTenants || tenants.size === 0) return;
  throw new NightmillError(
    'tenant_unknown',
    `There is no tenant ${JSON.stringify(tenant)} in the config; known: ${[...tenants.keys()].join(', ')}. ` +
      'Correct the name, add it under tenants:, or set allowUnknownTenants: true.',
  );
}

function ignoredOptions({ priority, deadline, expiresAt }: SubmitOperation, batch: BatchRecord): readonly string[] {
  const time = (at: number | undefined) => (at === undefined ? 'unset' : new Date(at).toISOString());
  return [
    ...(priority === undefined || priority === batch.priority ? [] : [`priority stays ${batch.priority}`]),
    // A time from now is another moment at each submission: only one that was never set is worth a word.
    ...(deadline === undefined || batch.deadline !== undefined ? [] : [`deadline stays ${time(batch.deadline)}`]),
    ...(expiresAt === undefined || batch.expiresAt !== undefined ? [] : [`expires stays ${time(batch.expiresAt)}`]),
  ];
}
