import { createHash } from 'node:crypto';
import type { BatchRecord } from '../batches/batch-registry.ts';
import { endedAs } from '../batches/batch-states.ts';
import type { BatchSubmission } from '../batches/batch-submission.ts';
import { ESCALATIONS } from '../batches/cost-figures.ts';
import { type ModelTotals, withProviders } from '../batches/model-totals.ts';
import { readSlice } from '../batches/read-slice.ts';
import type { ServedModel } from '../batches/slice-commit.ts';
import { pausedMs } from '../batches/workflow-history.ts';
import type { BreakerEvent } from '../ledger/breaker-event.ts';
import type { Ledger, UncertainCall } from '../ledger/ledger.ts';
import { batchScope, scopesOf } from '../ledger/scope.ts';
import { priceCall } from '../money/price.ts';
import { addUsage, NO_USAGE } from '../money/usage.ts';
import { promptSizes } from '../plans/plan.ts';
import type { Lessons } from '../providers/lesson-book.ts';
import { batchPower } from '../providers/power-book.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { ObjectStore } from '../store/object-store.ts';
import {
  allTiers,
  hostsOf,
  LOCAL_MODEL_NAME,
  modelsOfTier,
  poweredProviders,
  type WorkflowSpec,
} from '../workflows/workflow.ts';
import { breakerEvents } from './breaker-events.ts';
import type { Manifest, ManifestFile, ManifestModel } from './manifest.ts';
import type { CommitSums } from './sum-commits.ts';

/** What it takes to write a receipt. */
export interface ManifestContext {
  readonly store: ObjectStore;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Log;
  /** Names of providers whose server is switched on for batches. */
  readonly powered: ReadonlySet<string>;
  /** What refusals of a provider have taught, by the id of the model. */
  readonly lessonsOf: (provider: string) => Promise<ReadonlyMap<string, Lessons>>;
  readonly breakerHistory: (batchId: string, workflow: string) => Promise<readonly BreakerEvent[]>;
}

export async function buildManifest(
  context: ManifestContext,
  batch: BatchRecord,
  submission: BatchSubmission,
  sums: CommitSums & { results: readonly ManifestFile[]; errors: readonly ManifestFile[] },
): Promise<Manifest> {
  const { batchId } = batch;
  const now = context.clock.now();
  const [totals, uncertain, history, limits] = await Promise.all([
    context.ledger.totals(batchScope(batchId)),
    context.ledger.uncertainCalls(batchId),
    context.breakerHistory(batchId, batch.workflow),
    limitsInForce(context.ledger, batch, submission, now),
  ]);
  if (totals.settled !== sums.rowsCost) {
    context.log.error('books:unbalanced', {
      batch: batchId,
      ledgerNanoUsd: totals.settled,
      rowsNanoUsd: sums.rowsCost,
    });
  }
  const idOf = documentIds(context.store, batchId);
  const strongest = strongestAlone(submission, sums.models, batch);
  const breaker = breakerEvents(history, submission.createdAt);
  const instructions = instructionShare(submission.workflow, sums.models);
  return {
    batchId,
    // Redis may have forgotten that it was given up.
    state: batch.ending ?? endedAs(batch.outcomes),
    workflow: batch.workflow,
    task: submission.workflow.task,
    ...(batch.tenant === undefined ? {} : { tenant: batch.tenant }),
    ...(submission.plan === undefined ? {} : { plan: submission.plan }),
    ...(submission.program === undefined ? {} : { program: submission.program }),
    ...(submission.submittedBy === undefined ? {} : { submittedBy: submission.submittedBy }),
    priority: batch.priority,
    createdAt: submission.createdAt,
    finishedAt: new Date(now).toISOString(),
    pausedSeconds: pausedMs(breaker, batch.createdAt, now) / 1000,
    inputs: submission.inputs,
    documents: { total: batch.documents, ...batch.outcomes },
    labels: sums.labels,
    results: sums.results,
    errors: sums.errors,
    usage: sums.models.reduce((sum, model) => addUsage(sum, model.usage), NO_USAGE),
    limits,
    cascade: await manifestModels(submission, context.lessonsOf),
    served: sums.served,
    warnings: changedModels(sums.served),
    models: withProviders(sums.models, submission.workflow),
    ...splitRejections(sums.rejections),
    callRetries: sums.callRetries,
    ...(Object.keys(sums.evidence).length === 0 ? {} : { evidence: sums.evidence }),
    redactions: sums.redactions,
    reused: sums.reused,
    cost: totals.settled,
    uncertain: await Promise.all(uncertain.map((call) => uncertainEntry(call, idOf))),
    uncertainCost: totals.uncertain,
    ...(await powerOf(context, batch, submission, now)),
    dearest: await Promise.all(
      sums.dearest.map(async ({ slice, position, cost }) => ({ id: (await idOf(slice, position)) ?? '', cost })),
    ),
    ...(instructions === undefined ? {} : { instructionsShare: instructions }),
    ...(strongest === undefined ? {} : { strongest }),
    hashes: hashesOf(submission),
    promptVersion: submission.prompt.version,
    ...(submission.workflow.calibration === undefined ? {} : { calibration: submission.workflow.calibration }),
    breaker,
    ...(batch.retryOf === undefined ? {} : { retryOf: batch.retryOf }),
  };
}

async function powerOf(
  { store, powered }: ManifestContext,
  { batchId, createdAt: since }: BatchRecord,
  { workflow }: BatchSubmission,
  until: number,
): Promise<Pick<Manifest, 'power'>> {
  const power = await batchPower(store, poweredProviders(workflow, powered), { batchId, since, until });
  return power.length === 0 ? {} : { power };
}

function hashesOf({ contentHash, configHash, prompt, workflow }: BatchSubmission): Manifest['hashes'] {
  return {
    content: contentHash,
    config: configHash,
    prompt: prompt.sha256,
    models: createHash('sha256').update(JSON.stringify(workflow.cascade)).digest('hex'),
  };
}

async function limitsInForce(
  ledger: Ledger,
  batch: BatchRecord,
  { timezones, workflow }: BatchSubmission,
  now: number,
): Promise<NonNullable<Manifest['limits']>> {
  const scopes = scopesOf(batch, now, timezones);
  const limits = await Promise.all(scopes.map(async ({ name }) => [name, await ledger.limit(name)] as const));
  const { documentLimit } = workflow;
  return {
    ...Object.fromEntries(limits.flatMap(([name, limit]) => (limit === undefined ? [] : [[name, limit]]))),
    ...(documentLimit === undefined ? {} : { document: documentLimit }),
  };
}

const LOCAL_STAND_IN = { model: LOCAL_MODEL_NAME, provider: LOCAL_MODEL_NAME, id: LOCAL_MODEL_NAME, fallback: true };

async function manifestModels(
  { workflow, prices }: BatchSubmission,
  lessonsOf: ManifestContext['lessonsOf'],
): Promise<readonly ManifestModel[]> {
  const tiers = allTiers(workflow);
  const names = new Set(tiers.flatMap(modelsOfTier).map(({ provider }) => provider));
  const learned = new Map(await Promise.all([...names].map(async (name) => [name, await lessonsOf(name)] as const)));
  return tiers.flatMap((each, tier) => [
    ...modelsOfTier(each).map(({ name, provider, id, price }, index) => ({
      tier,
      model: name,
      provider,
      id,
      ...(each.spread === undefined || index >= hostsOf(each).length ? {} : { spread: each.spread }),
      ...(index < hostsOf(each).length ? {} : { fallback: true }),
      ...(each.acceptAt === undefined ? {} : { acceptAt: each.acceptAt }),
      ...(price === undefined ? {} : { price }),
      ...(prices?.[name] === undefined ? {} : { priceFrom: prices[name] }),
      ...learnedOf(learned.get(provider)?.get(id)),
    })),
    ...(each.standsInLocally === true ? [{ ...LOCAL_STAND_IN, tier }] : []),
  ]);
}

function learnedOf(learned: Lessons | undefined): Pick<ManifestModel, 'learned'> {
  return learned === undefined ? {} : { learned };
}

/** Another build or another model in the middle of a batch: its answers are not those of one model. */
export function changedModels(served: readonly ServedModel[]): readonly string[] {
  const byModel = Map.groupBy(served, ({ model }) => model);
  return [...byModel].flatMap(([model, found]) => {
    if (found.length < 2) return [];
    const names = found.map(
      ({ id, fingerprint, calls }) => `${fingerprint === undefined ? id : `${id} ${fingerprint}`} (${calls} calls)`,
    );
    return [`model_changed: ${model} was served by ${found.length} models or builds: ${names.join(', ')}`];
  });
}

function splitRejections(all: Manifest['rejections']): Required<Pick<Manifest, 'rejections' | 'escalations'>> {
  const entries = Object.entries(all);
  return {
    escalations: Object.fromEntries(entries.filter(([code]) => ESCALATIONS.has(code))),
    rejections: Object.fromEntries(entries.filter(([code]) => !ESCALATIONS.has(code))),
  };
}

type FindId = (slice: number, position: number) => Promise<string | undefined>;

/** Ids of documents by their place; each slice is read once. */
function documentIds(store: ObjectStore, batchId: string): FindId {
  const slices = new Map<number, ReturnType<typeof readSlice>>();
  return async (slice, position) => {
    const entries = slices.get(slice) ?? readSlice(store, batchId, slice);
    slices.set(slice, entries);
    const entry = (await entries)[position];
    return entry?.kind === 'document' ? entry.document.id : entry?.skipped.id;
  };
}

async function uncertainEntry(
  { document: position, at, ...call }: UncertainCall,
  idOf: FindId,
): Promise<Manifest['uncertain'][number]> {
  const document = position === undefined ? undefined : await idOf(call.slice, position);
  return {
    ...call,
    ...(document === undefined ? {} : { document }),
    ...(at === undefined ? {} : { at: new Date(at).toISOString() }),
  };
}

/** About which part of the input was the same words again and again: our count of the prompt without its document. */
function instructionShare(workflow: WorkflowSpec, models: readonly ModelTotals[]): number | undefined {
  const specs = new Map(
    allTiers(workflow)
      .flatMap(modelsOfTier)
      .map((model) => [model.name, model]),
  );
  let input = 0;
  let instructions = 0;
  for (const { model, calls, usage } of models) {
    const spec = specs.get(model);
    if (spec === undefined || model === LOCAL_MODEL_NAME) continue;
    input += usage.inputTokens;
    instructions += Math.min(usage.inputTokens, calls * promptSizes(workflow, spec).single.prompt);
  }
  return input === 0 ? undefined : Number((instructions / input).toFixed(4));
}

/**
 * What the last tier would have cost for all documents: its average price per answered document where it answered
 * some, else its price for the tokens that all other tiers used.
 */
function strongestAlone(
  { workflow }: BatchSubmission,
  models: readonly ModelTotals[],
  batch: BatchRecord,
): Manifest['strongest'] | undefined {
  const last = workflow.cascade.at(-1);
  if (last?.model.price === undefined || workflow.cascade.length < 2) return undefined;
  const { model } = last;
  const hosts = hostsOf(last).map(({ name }) => name);
  const own = models.filter((totals) => hosts.includes(totals.model));
  const calls = own.reduce((sum, totals) => sum + totals.calls, 0);
  if (calls > 0) {
    const cost = own.reduce((sum, totals) => sum + totals.cost, 0);
    return {
      model: model.name,
      cost: Math.round((cost / calls) * batch.documents),
      basis: `the average of its ${calls} calls here, for each of the ${batch.documents} documents`,
    };
  }
  const usage = models.reduce((sum, totals) => addUsage(sum, totals.usage), NO_USAGE);
  // A sum of calls is not one long call.
  const { longContext: _, ...price } = last.model.price;
  return {
    model: model.name,
    cost: priceCall(price, { ...usage, cachedInputTokens: 0 }),
    basis: 'it was not asked here: its price for the tokens that the other tiers have used',
  };
}
