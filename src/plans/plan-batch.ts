import { projectFromHistory, type WorkflowHistory } from '../batches/workflow-history.ts';
import type { Document } from '../documents/document.ts';
import type { DocumentInput } from '../documents/document-input.ts';
import { readDocuments } from '../documents/read-documents.ts';
import type { NanoUsd } from '../money/money.ts';
import type { QuotaAmount } from '../quota/quota-minutes.ts';
import { runInSteps } from '../runtime/run-in-steps.ts';
import { windowsOf } from '../tasks/tasks.ts';
import { chunkTextInSteps } from '../text/chunk-text.ts';
import { textHash } from '../text/text-hash.ts';
import { countTokensInSteps } from '../text/tokens.ts';
import { hostsOf, LOCAL_MODEL_NAME, type ModelSpec, modelsOfTier, type WorkflowSpec } from '../workflows/workflow.ts';
import { hostMinutes, LOCAL_DOCUMENTS_PER_MINUTE, type Throughput } from './host-minutes.ts';
import {
  type CostRange,
  callCost,
  type DocumentPlan,
  type DocumentShape,
  type PromptSizes,
  planCost,
  planDocument,
  promptSizes,
  shapeDocument,
} from './plan.ts';
import { askingCost, plannedStart, planRoute, type RoutePlan } from './plan-route.ts';
import { addLoads, NO_LOAD, type StartLoad, type TierLoad } from './scenarios.ts';

export interface BatchPlan {
  readonly documents: number;
  readonly problems: number;
  /** Documents whose text an earlier batch of this version of the workflow has answered. */
  readonly answeredBefore: number;
  readonly inputTokens: number;
  /**
   * Calls to providers: one tier answers everything and the parts of long classifications agree as early as they can,
   * or every tier is asked about every part and asked to repair.
   */
  readonly calls: { readonly low: number; readonly worst: number };
  /** Calls of the first paid tier if it is asked about everything, replies as long as they may be. */
  readonly firstTier: QuotaAmount;
  /** Documents that are answered in parts, how many parts, and the most calls that wait for each other. */
  readonly long: { readonly documents: number; readonly parts: number; readonly depth: number };
  /** Of the models with a price. */
  readonly cost: CostRange;
  /** Models without a price: the cost is not known. */
  readonly unpriced: readonly string[];
  /** Documents that are expected to cost more than one may, and end there; undefined: documents have no limit. */
  readonly beyondLimit: { readonly documents: number; readonly limit: NanoUsd } | undefined;
  /** The documents that are expected to cost most, the dearest first; at most ten. */
  readonly dearest: readonly { readonly id: string; readonly cost: NanoUsd }[];
  /** Part of the input tokens, 0 to 1, that is the same instructions again and again; undefined: nothing is sent. */
  readonly instructionsShare: number | undefined;
  readonly minutes: CostRange;
  /** Where documents would begin; undefined: the workflow has no route. */
  readonly route: RoutePlan | undefined;
  /** What the documents take at each tier, by where they begin. */
  readonly loads: readonly StartLoad[];
  /** Of questions that are asked before the cascade, replies of typical length. */
  readonly askingCost: NanoUsd;
  /** What is expected comes from batches that have finished; else it is assumed. */
  readonly fromHistory: boolean;
}

const DEAREST = 10;
/** Smaller windows fail in a worker, with the reason. */
const MIN_PART_TOKENS = 128;

/** A workflow that a plan is made for. */
export interface PlannedWorkflow {
  readonly spec: WorkflowSpec;
  /** Of each host of the first paid tier; none: there is no such tier. */
  readonly throughput: readonly Throughput[];
  /** Of this very version of the workflow. */
  readonly history?: WorkflowHistory;
}

export interface PlanReading {
  readonly maxLineBytes: number;
  readonly maxDocuments?: number | undefined;
  /** Whether a text, by its `textHash`, was answered by an earlier batch. */
  readonly answered?: { has(hash: Uint8Array): Promise<boolean> };
  /** Documents that were answered before are not asked. */
  readonly newOnly?: boolean;
}

export type PlanOptions = PlanReading & Omit<PlannedWorkflow, 'spec'>;

/** Reads the input and adds up what it would take. Makes no call and writes nothing. */
export async function planBatch(
  inputs: readonly DocumentInput[],
  spec: WorkflowSpec,
  { throughput, history, ...reading }: PlanOptions,
): Promise<BatchPlan> {
  const workflow = { spec, throughput, ...(history === undefined ? {} : { history }) };
  const [plan] = await planEach(inputs, [workflow], reading);
  if (plan === undefined) throw new RangeError('One workflow has one plan');
  return plan;
}

/** As {@link planBatch} for several workflows, with one reading of the input; a plan each, in their order. */
export async function planEach(
  inputs: readonly DocumentInput[],
  workflows: readonly PlannedWorkflow[],
  options: PlanReading,
): Promise<readonly BatchPlan[]> {
  const all = workflows.map(({ spec }) => new PlanSums(spec));
  let documents = 0;
  let problems = 0;
  let answeredBefore = 0;
  for await (const entry of readDocuments(inputs, options)) {
    if (entry.kind === 'problem') {
      problems += 1;
      continue;
    }
    documents += 1;
    const isKnown = (await options.answered?.has(textHash(entry.document.text))) === true;
    if (isKnown) answeredBefore += 1;
    if (isKnown && options.newOnly === true) continue;
    const tokens = await runInSteps(countTokensInSteps(entry.document.text));
    for (const sums of all) await sums.add(entry.document, tokens);
  }
  return workflows.flatMap((workflow, index) => {
    const sums = all[index];
    return sums === undefined ? [] : [planOf(workflow, sums, { documents, problems, answeredBefore })];
  });
}

function planOf(
  { spec, throughput, history }: PlannedWorkflow,
  sums: PlanSums,
  counts: Pick<BatchPlan, 'documents' | 'problems' | 'answeredBefore'>,
): BatchPlan {
  const { documentLimit: limit } = spec;
  const computed: BatchPlan = {
    ...counts,
    inputTokens: sums.inputTokens,
    calls: sums.calls,
    firstTier: sums.firstTier,
    long: sums.long,
    cost: sums.cost,
    unpriced: sums.unpriced,
    beyondLimit: limit === undefined ? undefined : { documents: sums.beyondLimit, limit },
    dearest: sums.dearest,
    instructionsShare: sums.instructionsShare,
    minutes: sums.minutes(throughput),
    route: planRoute(spec, sums.starts, history),
    loads: sums.loads,
    askingCost: sums.askingCost,
    fromHistory: false,
  };
  const past = history === undefined ? undefined : projectFromHistory(history, sums.inputTokens);
  return past === undefined ? computed : expectFromHistory(computed, past);
}

/** What the documents of a batch take together. */
class PlanSums {
  inputTokens = 0;
  readonly long = { documents: 0, parts: 0, depth: 0 };
  readonly cost = { low: 0, expected: 0, worst: 0 };
  readonly #workflow: WorkflowSpec;
  readonly #paid: readonly ModelSpec[];
  readonly #sizes: ReadonlyMap<ModelSpec, PromptSizes>;
  readonly firstTier = { calls: 0, inputTokens: 0, outputTokens: 0 };
  dearest: BatchPlan['dearest'] = [];
  beyondLimit = 0;
  readonly starts = new Map<number, number>();
  readonly #loads = new Map<number, TierLoad[]>();
  askingCost = 0;
  #textTokens = 0;
  #documents = 0;
  #leastCalls = 0;

  constructor(workflow: WorkflowSpec) {
    this.#workflow = workflow;
    this.#paid = workflow.cascade.filter(({ model }) => model.name !== LOCAL_MODEL_NAME).map(({ model }) => model);
    this.#sizes = new Map(
      workflow.cascade
        .flatMap(modelsOfTier)
        .filter(({ name }) => name !== LOCAL_MODEL_NAME)
        .map((model) => [model, promptSizes(workflow, model)]),
    );
  }

  async add({ id, text, metadata }: PlannedDocument, tokens: number): Promise<void> {
    this.#documents += 1;
    this.inputTokens += tokens;
    const start = plannedStart(this.#workflow, { text, tokens, metadata });
    this.starts.set(start, (this.starts.get(start) ?? 0) + 1);
    const left = this.#workflow.cascade.slice(start);
    const first = this.#paid.find((model) => left.some((tier) => tier.model === model));
    if (first === undefined) return;
    const shape = await shapeText(this.#workflow, text, tokens);
    if (shape.parts > 1) {
      this.long.documents += 1;
      this.long.parts += shape.parts;
      this.long.depth = Math.max(this.long.depth, shape.depth);
    }
    this.#leastCalls += shape.leastCalls;
    const planAt = (model: ModelSpec): DocumentPlan => {
      const found = this.#sizes.get(model);
      if (found === undefined) throw new RangeError(`The model ${model.name} is not in the cascade`);
      return planDocument(this.#workflow, found, shape);
    };
    const asking = askingCost(this.#workflow, tokens);
    this.askingCost += asking?.expected ?? 0;
    this.#addLoad(start, planAt);
    const uncapped = addCosts(planCost(this.#workflow, planAt, start), asking);
    const { documentLimit = Number.POSITIVE_INFINITY } = this.#workflow;
    if (uncapped.expected > documentLimit) this.beyondLimit += 1;
    const range = {
      low: Math.min(uncapped.low, documentLimit),
      expected: Math.min(uncapped.expected, documentLimit),
      worst: Math.min(uncapped.worst, documentLimit),
    };
    this.cost.low += range.low;
    this.cost.expected += range.expected;
    this.cost.worst += range.worst;
    const { calls, inputTokens, outputTokens } = planAt(first);
    this.firstTier.calls += calls;
    this.firstTier.inputTokens += inputTokens;
    this.firstTier.outputTokens += outputTokens;
    this.#textTokens += shape.tokens;
    this.#noteDear(id, uncapped.expected);
  }

  #addLoad(start: number, planAt: (model: ModelSpec) => DocumentPlan): void {
    const { cascade } = this.#workflow;
    const sums = this.#loads.get(start) ?? cascade.map(() => NO_LOAD);
    this.#loads.set(
      start,
      sums.map((sum, index) => {
        const tier = cascade[index];
        if (tier === undefined || index < start) return sum;
        if (tier.model.name === LOCAL_MODEL_NAME) return { ...sum, documents: sum.documents + 1 };
        // As `planCost`: the dearest of several hosts.
        const cost = Math.max(...hostsOf(tier).map((host) => callCost(host, planAt(host)).expected));
        return addLoads(sum, { ...planAt(tier.model), documents: 1, cost });
      }),
    );
  }

  get loads(): readonly StartLoad[] {
    return [...this.#loads].map(([start, tiers]) => ({ start, tiers }));
  }

  #noteDear(id: string, cost: NanoUsd): void {
    if (cost === 0 || cost <= (this.dearest[DEAREST - 1]?.cost ?? -1)) return;
    this.dearest = [...this.dearest, { id, cost }].sort((a, b) => b.cost - a.cost).slice(0, DEAREST);
  }

  get unpriced(): readonly string[] {
    const { route } = this.#workflow;
    const asked = route?.by === 'model' ? [route.tier.model] : [];
    return [...this.#sizes.keys(), ...asked].filter(({ price }) => price === undefined).map(({ name }) => name);
  }

  get instructionsShare(): number | undefined {
    const { inputTokens } = this.firstTier;
    return inputTokens === 0 ? undefined : Math.max(0, 1 - this.#textTokens / inputTokens);
  }

  get calls(): BatchPlan['calls'] {
    const asked = this.#workflow.route?.by === 'model' ? this.#documents : 0;
    return {
      low: asked + (this.#isLocalFirst ? 0 : this.#leastCalls),
      worst: asked * 2 + this.firstTier.calls * this.#paid.length * 2,
    };
  }

  minutes(hosts: readonly Throughput[]): CostRange {
    const paid = hostMinutes(this.firstTier, hosts);
    const hasLocal = this.#paid.length < this.#workflow.cascade.length;
    const local = hasLocal ? this.#documents / LOCAL_DOCUMENTS_PER_MINUTE : 0;
    return {
      low: tenths(this.#isLocalFirst ? local : paid),
      expected: tenths(local + paid * (this.#isLocalFirst ? 0.5 : 1.3)),
      worst: tenths(local + paid * this.#paid.length * 2),
    };
  }

  get #isLocalFirst(): boolean {
    return this.#workflow.cascade[0]?.model.name === LOCAL_MODEL_NAME;
  }
}

type PlannedDocument = Pick<Document, 'id' | 'text' | 'metadata'>;

function addCosts(a: CostRange, b: CostRange = { low: 0, expected: 0, worst: 0 }): CostRange {
  return { low: a.low + b.low, expected: a.expected + b.expected, worst: a.worst + b.worst };
}

/** A long document is cut as a worker will cut it, so that the calls are the very ones that will be made. */
async function shapeText(workflow: WorkflowSpec, text: string, tokens: number): Promise<DocumentShape> {
  const { whole, part, overlap } = windowsOf(workflow);
  if (tokens <= whole || part < MIN_PART_TOKENS) return shapeDocument(workflow, tokens);
  const limits = { maxTokens: part + overlap, overlapTokens: overlap, textTokens: tokens };
  return shapeDocument(workflow, tokens, (await runInSteps(chunkTextInSteps(text, limits))).length);
}

/** What finished batches took is better than assumptions; the bounds of the plan give way to it where it is outside. */
function expectFromHistory(plan: BatchPlan, past: { readonly cost: NanoUsd; readonly minutes: number }): BatchPlan {
  // The worst case of the cost is a promise: what is in flight is held at its bound.
  const cost = Math.min(past.cost, plan.cost.worst);
  const minutes = tenths(past.minutes);
  return {
    ...plan,
    cost: { ...plan.cost, low: Math.min(plan.cost.low, cost), expected: cost },
    minutes: {
      low: Math.min(plan.minutes.low, minutes),
      expected: minutes,
      worst: Math.max(plan.minutes.worst, minutes),
    },
    fromHistory: true,
  };
}

function tenths(minutes: number): number {
  return Math.ceil(minutes * 10) / 10;
}
