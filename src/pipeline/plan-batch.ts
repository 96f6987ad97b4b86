import type { NanoUsd } from '../domain/money.ts';
import { type CostRange, type DocumentPlan, planCost, planDocument, promptSizes } from '../domain/plan.ts';
import { countTokens } from '../domain/tokens.ts';
import { LOCAL_MODEL_NAME, type ModelSpec, type WorkflowSpec } from '../domain/workflow.ts';
import { projectFromHistory, type WorkflowHistory } from '../domain/workflow-history.ts';
import type { DocumentInput } from './document-input.ts';
import { readDocuments } from './read-documents.ts';

export interface Throughput {
  readonly callsPerMinute: number;
  readonly tokensPerMinute: number;
}

export interface BatchPlan {
  readonly documents: number;
  readonly problems: number;
  readonly inputTokens: number;
  /** Calls to providers: one tier answers everything, or every tier is asked and asked to repair. */
  readonly calls: { readonly low: number; readonly worst: number };
  readonly cost: CostRange;
  readonly minutes: CostRange;
  /** What is expected comes from batches that have finished; else it is assumed. */
  readonly fromHistory: boolean;
}

/** Documents a minute that the local tier answers in one process, on one core. */
const LOCAL_DOCUMENTS_PER_MINUTE = 1_500;

/** Reads the input and adds up what it would take. Makes no call and writes nothing. */
export async function planBatch(
  inputs: readonly DocumentInput[],
  workflow: WorkflowSpec,
  options: {
    readonly maxLineBytes: number;
    readonly throughput: Throughput;
    /** Of this very version of the workflow. */
    readonly history?: WorkflowHistory;
  },
): Promise<BatchPlan> {
  const paid = workflow.cascade.filter(({ model }) => model.name !== LOCAL_MODEL_NAME).map(({ model }) => model);
  const sizes = new Map(paid.map((model) => [model, promptSizes(workflow, model)]));
  const contextTokens = Math.min(...paid.map((model) => model.contextTokens));
  const hasLocal = paid.length < workflow.cascade.length;
  let documents = 0;
  let problems = 0;
  let inputTokens = 0;
  let callsPerTier = 0;
  let tokensPerTier = 0;
  const cost = { low: 0, expected: 0, worst: 0 };
  for await (const entry of readDocuments(inputs, { maxLineBytes: options.maxLineBytes })) {
    if (entry.kind === 'problem') {
      problems += 1;
      continue;
    }
    const tokens = countTokens(entry.document.text);
    documents += 1;
    inputTokens += tokens;
    if (paid.length === 0) continue;
    const planAt = (model: ModelSpec): DocumentPlan => {
      const found = sizes.get(model);
      if (found === undefined) throw new RangeError(`The model ${model.name} is not in the cascade`);
      return planDocument(workflow, found, contextTokens, tokens);
    };
    const range = planCost(workflow, planAt);
    cost.low += range.low;
    cost.expected += range.expected;
    cost.worst += range.worst;
    const first = planAt(paid[0] as ModelSpec);
    callsPerTier += first.calls;
    tokensPerTier += first.inputTokens + first.outputTokens;
  }
  const calls = { low: hasLocal ? 0 : callsPerTier, worst: callsPerTier * paid.length * 2 };
  const paidMinutes = Math.max(
    callsPerTier / options.throughput.callsPerMinute,
    tokensPerTier / options.throughput.tokensPerMinute,
  );
  const localMinutes = hasLocal ? documents / LOCAL_DOCUMENTS_PER_MINUTE : 0;
  const computed: BatchPlan = {
    documents,
    problems,
    inputTokens,
    calls,
    cost,
    minutes: {
      low: tenths(localMinutes + (hasLocal ? 0 : paidMinutes)),
      expected: tenths(localMinutes + paidMinutes * (hasLocal ? 0.5 : 1.3)),
      worst: tenths(localMinutes + paidMinutes * paid.length * 2),
    },
    fromHistory: false,
  };
  const past = options.history === undefined ? undefined : projectFromHistory(options.history, inputTokens);
  return past === undefined ? computed : expectFromHistory(computed, past);
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
