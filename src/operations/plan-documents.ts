import type { Config } from '../../config/config.ts';
import { batchTimezones, poweredIn, workflowOf } from '../../config/config.ts';
import { configLimits } from '../../config/limits.ts';
import { workflowFor } from '../../config/workflows/tenant-workflow.ts';
import { openStore } from '../adapters/open-store.ts';
import { workflowHash } from '../batches/workflow-hash.ts';
import { checkExamples } from '../doctor/check-examples.ts';
import { checkModelFacts } from '../doctor/check-model-facts.ts';
import { StoreError } from '../errors.ts';
import type { ScopeTotals } from '../ledger/ledger.ts';
import { type Scope, scopesOf } from '../ledger/scope.ts';
import { type NanoUsd, usdJson } from '../money/money.ts';
import { type BatchPlan, planBatch } from '../plans/plan-batch.ts';
import { type LimitCover, limitCover, type PlannedLimit } from '../plans/plan-limits.ts';
import { planServer, type ServerPlan } from '../plans/server-cost.ts';
import { StoredAnswers } from '../results/earlier-answers.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { allTiers, labelsOf, modelsOfTier, poweredProviders, type WorkflowSpec } from '../workflows/workflow.ts';
import { type Marks, marksQuestion, planMarks, warningsOf } from './evidence/requirement-marks.ts';
import { type PastLatency, pastLatency, pastLatencyJson } from './figures/past-latency.ts';
import { type OutlookAsked, outlookJson, type PlanOutlook, planOutlook } from './figures/plan-outlook.ts';
import { throughputOf } from './figures/throughput.ts';
import type { OpenedInputs } from './open-inputs.ts';
import { type HistoryAnswer, readPast } from './read-history.ts';
import { answerVersion } from './submit-documents.ts';

export interface PlanOperation extends OutlookAsked {
  readonly workflow: string;
  readonly opened: OpenedInputs;
  /** How far would this limit reach? Default: the workflow's for a batch. */
  readonly budget?: NanoUsd | undefined;
  readonly maxDocuments?: number | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly tenant?: string | undefined;
  /** Where batches are kept. Default: opened as the config says. */
  readonly store?: ObjectStore;
  /** As `SubmitOperation.newOnly`. */
  readonly newOnly?: boolean | undefined;
}

export interface PlanAnswer {
  readonly workflow: string;
  readonly plan: BatchPlan;
  readonly past: HistoryAnswer;
  readonly outlook: PlanOutlook;
  /** Documents that were answered before by this very version of the workflow, and about what that cost; undefined: the store cannot be read. */
  readonly answeredBefore: StoredAnswers['found'] | undefined;
  readonly newOnly: boolean;
  /** How fast its models were in the workflow's latest batches; undefined: the store cannot be read. */
  readonly latency: readonly PastLatency[] | undefined;
  /** Servers that would be switched on for it, booked beside the plan's dollars. */
  readonly servers: readonly ServerPlan[];
  /** Every limit that would count, the batch's first. */
  readonly limits: readonly PlannedLimit[];
  /** None: the task has none. */
  readonly labels: readonly string[];
  /** What is not known, or assumed, about the workflow's models, and examples that are not used; for people. */
  readonly notes: readonly string[];
  /** Which requirements would be met; undefined: the workflow has none. */
  readonly marks: Marks | undefined;
}

/**
 * What a batch would cost and take. No call is made and nothing is stored.
 *
 * @throws {NightmillError} `workflow_unknown`, `input_invalid`
 */
export async function planDocuments(config: Config, operation: PlanOperation): Promise<PlanAnswer> {
  const workflow = workflowFor(workflowOf(config, operation.workflow), operation.tenant);
  const batchLimit = operation.budget ?? workflow.budget.batch;
  const { tenant } = operation;
  const owner = { batchId: '', workflow: operation.workflow, ...(tenant === undefined ? {} : { tenant }) };
  const scopes = scopesOf(owner, operation.now, batchTimezones(config, operation.workflow)).slice(1);
  const { requirements, spec } = workflow;
  const { history, totals, recent, quotas } = await readPast(config, operation.workflow, {
    scopes,
    ...(requirements === undefined ? {} : marksQuestion([spec])),
  });
  const past = sameVersion(history, workflowHash(spec));
  await using stack = new AsyncDisposableStack();
  const store = operation.store ?? stack.adopt(await openStore(config.store), (opened) => opened.close());
  const answers = new StoredAnswers(store, answerVersion(spec, tenant));
  const answered = await readable(answers);
  const newOnly = operation.newOnly === true;
  const plan = await planBatch(operation.opened.inputs, spec, {
    maxLineBytes: config.ingest.maxLineBytes,
    maxDocuments: operation.maxDocuments,
    throughput: throughputOf(config, spec),
    ...(answered === undefined ? {} : { answered }),
    newOnly,
    ...(past.kind === 'known' ? { history: past.history } : {}),
  });
  const outlook = planOutlook(config, workflow, plan, past.kind === 'known' ? past.history : undefined, operation);
  const marks = await planMarks(config, requirements, [{ spec, plan }], { store, recent, quotas });
  return {
    workflow: operation.workflow,
    plan,
    past,
    outlook,
    labels: labelsOf(spec),
    notes: modelNotes(config, spec, operation.now),
    marks: marks?.[0],
    answeredBefore: answered?.found,
    newOnly,
    latency: answered === undefined ? undefined : await pastLatency(store, spec, tenant),
    servers: serversOf(config, spec, plan),
    limits: [
      ...(batchLimit === undefined
        ? []
        : [{ scope: 'batch', limit: batchLimit, spent: 0, covers: limitCover(plan, batchLimit) }]),
      ...plannedLimits(config, scopes, totals, plan),
    ],
  };
}

function serversOf(config: Config, spec: WorkflowSpec, { minutes }: BatchPlan): readonly ServerPlan[] {
  return poweredProviders(spec, poweredIn(config)).flatMap((name) => {
    const power = config.providers.get(name)?.power;
    return power === undefined ? [] : [planServer(name, power, minutes)];
  });
}

function plannedLimits(
  config: Config,
  scopes: readonly Scope[],
  totals: readonly ScopeTotals[] | undefined,
  plan: BatchPlan,
): readonly PlannedLimit[] {
  const stated = configLimits(config);
  return scopes.flatMap(({ name: scope }, index) => {
    const known = totals?.[index];
    const limit = known?.limit ?? stated.get(scope);
    if (limit === undefined) return [];
    const spent = known === undefined ? undefined : known.settled + known.uncertain + known.held;
    return [{ scope, limit, spent, covers: limitCover(plan, limit, spent) }];
  });
}

/** The answers, or undefined where the store cannot be read: a plan needs no store. */
async function readable(answers: StoredAnswers): Promise<StoredAnswers | undefined> {
  try {
    await answers.open();
    return answers;
  } catch (error) {
    if (error instanceof StoreError) return undefined;
    throw error;
  }
}

/** `plan --json`. */
export function planJson(answer: PlanAnswer): object {
  const { workflow, plan, past, limits, answeredBefore, newOnly, labels, notes, marks, servers } = answer;
  const { documents, problems, inputTokens, calls, long, cost, minutes } = plan;
  const usd = usdJson;
  const ofBatch = limits.find(({ scope }) => scope === 'batch');
  return {
    workflow,
    documents,
    problems,
    answeredBefore:
      answeredBefore === undefined ? null : { documents: answeredBefore.documents, costUsd: usd(answeredBefore.cost) },
    newOnly,
    inputTokens,
    calls,
    long,
    // Unknown is not nothing.
    costUsd:
      plan.unpriced.length > 0 ? null : { low: usd(cost.low), expected: usd(cost.expected), worst: usd(cost.worst) },
    unpriced: plan.unpriced,
    beyondDocumentLimit: plan.beyondLimit?.documents ?? null,
    dearest: plan.dearest.map((each) => ({ id: each.id, costUsd: usd(each.cost) })),
    instructionsShare: plan.instructionsShare === undefined ? null : Number(plan.instructionsShare.toFixed(4)),
    minutes,
    latency: pastLatencyJson(answer.latency),
    servers: servers.map(({ provider, perHour, idleMinutes, cost: hours }) => ({
      provider,
      perHourUsd: perHour === undefined ? null : usd(perHour),
      idleMinutes,
      costUsd:
        hours === undefined ? null : { low: usd(hours.low), expected: usd(hours.expected), worst: usd(hours.worst) },
    })),
    route: plan.route ?? null,
    ...outlookJson(answer.outlook, documents),
    limitUsd: ofBatch === undefined ? null : usd(ofBatch.limit),
    documentsCovered: ofBatch === undefined || cost.expected === 0 ? null : coveredDocuments(ofBatch.covers, documents),
    limits: limits.map(({ scope, limit, spent, covers }) => ({
      scope,
      limitUsd: usd(limit),
      spentUsd: spent === undefined ? null : usd(spent),
      covers: covers.kind === 'worst' || covers.kind === 'expected' ? 'all' : covers.kind,
      documents: coveredDocuments(covers, documents),
    })),
    history: past.kind === 'known' ? { batches: past.history.batches } : { batches: 0, reason: past.reason },
    ...(labels.length === 0 ? {} : { labels }),
    evaluation: marks?.evaluation ?? null,
    requirements: marks?.verdicts ?? null,
    warnings: [...notes, ...warningsOf(workflow, marks?.verdicts ?? [])],
  };
}

function modelNotes(config: Config, spec: WorkflowSpec, now: number): readonly string[] {
  const used = new Set(
    allTiers(spec)
      .flatMap(modelsOfTier)
      .map((model) => model.name),
  );
  const facts = new Map([...config.modelFacts].filter(([model]) => used.has(model)));
  const checks = [...checkModelFacts(facts, config.prices.asOf, now), ...checkExamples(spec.name, spec)];
  return checks.map((check) => `${check.name}: ${check.detail}`);
}

function coveredDocuments(covers: LimitCover, documents: number): number | null {
  if (covers.kind === 'unknown') return null;
  return covers.kind === 'part' ? covers.documents : documents;
}

/** History of a workflow that was other then (models, prices, prompts' settings) says nothing about this one. */
export function sameVersion(answer: HistoryAnswer, configHash: string): HistoryAnswer {
  if (answer.kind === 'unknown' || answer.history.configHash === configHash) return answer;
  return { kind: 'unknown', reason: 'the workflow has changed since its last batch' };
}
