import { projectFromHistory, type WorkflowHistory } from '../batches/workflow-history.ts';
import type { DocumentInput } from '../documents/document-input.ts';
import { readDocuments } from '../documents/read-documents.ts';
import type { PoolLimits } from '../ledger/pool-limits.ts';
import type { NanoUsd } from '../money/money.ts';
import { quotaMinutes } from '../quota/quota-minutes.ts';
import { runInSteps } from '../runtime/run-in-steps.ts';
import { windowsOf } from '../tasks/tasks.ts';
import { chunkTextInSteps } from '../text/chunk-text.ts';
import { countTokensInSteps } from '../text/tokens.ts';
import { LOCAL_MODEL_NAME, type ModelSpec, type WorkflowSpec } from '../workflows/workflow.ts';
import {
  type CostRange,
  type DocumentPlan,
  type DocumentShape,
  planCost,
  planDocument,
  promptSizes,
  shapeDocument,
} from './plan.ts';

/** How fast the first paid tier can be asked. */
export interface Throughput {
  readonly limits: PoolLimits;
  /** As the calls in flight and the time of a call allow. */
  readonly callsPerMinute: number;
}

export interface BatchPlan {
  readonly documents: number;
  readonly problems: number;
  readonly inputTokens: number;
  /**
   * Calls to providers: one tier answers everything and the parts of long classifications agree as early as they can,
   * or every tier is asked about every part and asked to repair.
   */
  readonly calls: { readonly low: number; readonly worst: number };
  /** Documents that are answered in parts, how many parts, and the most calls that wait for each other. */
  readonly long: { readonly documents: number; readonly parts: number; readonly depth: number };
  readonly cost: CostRange;
  readonly minutes: CostRange;
  /** What is expected comes from batches that have finished; else it is assumed. */
  readonly fromHistory: boolean;
}

/** Documents a minute that the local tier answers in one process, on one core. */
const LOCAL_DOCUMENTS_PER_MINUTE = 1_500;
/** Smaller windows fail in a worker, with the reason. */
const LEAST_PART_TOKENS = 128;

/** Reads the input and adds up what it would take. Makes no call and writes nothing. */
export async function planBatch(
  inputs: readonly DocumentInput[],
  workflow: WorkflowSpec,
  options: {
    readonly maxLineBytes: number;
    readonly maxDocuments?: number | undefined;
    readonly throughput: Throughput;
    /** Of this very version of the workflow. */
    readonly history?: WorkflowHistory;
  },
): Promise<BatchPlan> {
  const paid = workflow.cascade.filter(({ model }) => model.name !== LOCAL_MODEL_NAME).map(({ model }) => model);
  const sizes = new Map(paid.map((model) => [model, promptSizes(workflow, model)]));
  const hasLocal = paid.length < workflow.cascade.length;
  const isLocalFirst = workflow.cascade[0]?.model.name === LOCAL_MODEL_NAME;
  let documents = 0;
  let problems = 0;
  let inputTokens = 0;
  let callsPerTier = 0;
  let leastCalls = 0;
  const long = { documents: 0, parts: 0, depth: 0 };
  const tokensPerTier = { input: 0, output: 0 };
  const cost = { low: 0, expected: 0, worst: 0 };
  for await (const entry of readDocuments(inputs, options)) {
    if (entry.kind === 'problem') {
      problems += 1;
      continue;
    }
    const { text } = entry.document;
    const tokens = await runInSteps(countTokensInSteps(text));
    documents += 1;
    inputTokens += tokens;
    if (paid.length === 0) continue;
    const shape = await shapeText(workflow, text, tokens);
    if (shape.parts > 1) {
      long.documents += 1;
      long.parts += shape.parts;
      long.depth = Math.max(long.depth, shape.depth);
    }
    leastCalls += shape.leastCalls;
    const planAt = (model: ModelSpec): DocumentPlan => {
      const found = sizes.get(model);
      if (found === undefined) throw new RangeError(`The model ${model.name} is not in the cascade`);
      return planDocument(workflow, found, shape);
    };
    const range = planCost(workflow, planAt);
    cost.low += range.low;
    cost.expected += range.expected;
    cost.worst += range.worst;
    const first = planAt(paid[0] as ModelSpec);
    callsPerTier += first.calls;
    tokensPerTier.input += first.inputTokens;
    tokensPerTier.output += first.outputTokens;
  }
  const calls = { low: isLocalFirst ? 0 : leastCalls, worst: callsPerTier * paid.length * 2 };
  const asked = { calls: callsPerTier, inputTokens: tokensPerTier.input, outputTokens: tokensPerTier.output };
  const paidMinutes = Math.max(
    callsPerTier / options.throughput.callsPerMinute,
    quotaMinutes(asked, options.throughput.limits),
  );
  const localMinutes = hasLocal ? documents / LOCAL_DOCUMENTS_PER_MINUTE : 0;
  const computed: BatchPlan = {
    documents,
    problems,
    inputTokens,
    calls,
    long,
    cost,
    minutes: {
      low: tenths(isLocalFirst ? localMinutes : paidMinutes),
      expected: tenths(localMinutes + paidMinutes * (isLocalFirst ? 0.5 : 1.3)),
      worst: tenths(localMinutes + paidMinutes * paid.length * 2),
    },
    fromHistory: false,
  };
  const past = options.history === undefined ? undefined : projectFromHistory(options.history, inputTokens);
  return past === undefined ? computed : expectFromHistory(computed, past);
}

/** A long document is cut as a worker will cut it, so that the calls are the very ones that will be made. */
async function shapeText(workflow: WorkflowSpec, text: string, tokens: number): Promise<DocumentShape> {
  const { whole, part, overlap } = windowsOf(workflow);
  if (tokens <= whole || part < LEAST_PART_TOKENS) return shapeDocument(workflow, tokens);
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
