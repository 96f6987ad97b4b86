import { countRequestTokens, holdFor } from './estimate.ts';
import { buildModelRequest } from './model-request.ts';
import type { NanoUsd } from './money.ts';
import { classifyQuestion } from './tasks/classify.ts';
import { planMapReduce } from './tasks/map-reduce-plan.ts';
import { summarizeQuestion, summaryTokens } from './tasks/summarize.ts';
import type { Prompt } from './tasks/task.ts';
import { LOCAL_MODEL_NAME, type ModelSpec, type WorkflowSpec } from './workflow.ts';

/** The calls that one document takes at one tier. */
export interface DocumentPlan {
  readonly calls: number;
  /** Tokens of all calls together, prompts included. */
  readonly inputTokens: number;
  /** Most output tokens of all calls together. */
  readonly outputTokens: number;
}

export interface CostRange {
  /** The first tier answers everything, with replies of typical length. */
  readonly low: NanoUsd;
  /** Some documents go on to the next tier. */
  readonly expected: NanoUsd;
  /** Every tier is asked and once more to repair, with replies as long as they may be. */
  readonly worst: NanoUsd;
}

/** Replies use about this part of their cap: caps are tight, but nobody writes to the last token. */
const TYPICAL_OUTPUT_SHARE = 0.5;
/** Without history: this part of the documents goes on from one tier to the next. */
export const ASSUMED_ESCALATION = 0.3;
/** Our count of tokens is not every model's. */
const COUNT_MARGIN = 1.25;
const SAFE_SHARE = 0.85;

/** Tokens of a workflow's prompt around the document, and of its replies. */
export interface PromptSizes {
  readonly single: StepSize;
  readonly map: StepSize;
  readonly reduce: StepSize;
}

interface StepSize {
  readonly prompt: number;
  readonly output: number;
}

export function promptSizes(workflow: WorkflowSpec, model: ModelSpec): PromptSizes {
  const size = (prompt: Prompt): StepSize => ({
    prompt: countRequestTokens(buildModelRequest(model, prompt, 'first')),
    output: Math.min(prompt.outputTokens, model.maxOutputTokens),
  });
  if (workflow.task === 'classify') {
    const one = size(classifyQuestion(workflow, '').prompt);
    return { single: one, map: one, reduce: one };
  }
  return {
    single: size(summarizeQuestion(workflow, 'single', '').prompt),
    map: size(summarizeQuestion(workflow, 'map', '').prompt),
    reduce: size(summarizeQuestion(workflow, 'reduce', '').prompt),
  };
}

/** Plans a document by its token count alone; the chunker may cut a little differently. */
export function planDocument(
  workflow: WorkflowSpec,
  sizes: PromptSizes,
  contextTokens: number,
  tokens: number,
): DocumentPlan {
  const window = (step: StepSize) => Math.max(1, Math.floor((contextTokens - step.output) * SAFE_SHARE) - step.prompt);
  const { single, map, reduce } = sizes;
  if (tokens <= window(single)) return { calls: 1, inputTokens: tokens + single.prompt, outputTokens: single.output };
  const parts = Math.ceil(tokens / window(map));
  const maps = { calls: parts, inputTokens: tokens + parts * map.prompt, outputTokens: parts * map.output };
  if (workflow.task === 'classify') return maps;
  const notes = summaryTokens(workflow, 'map');
  const fanIn = Math.max(2, Math.floor(window(reduce) / notes));
  const plan = planMapReduce(parts, fanIn);
  const reduces = plan.calls - parts;
  return {
    calls: plan.calls,
    inputTokens: maps.inputTokens + reduces * reduce.prompt + (plan.calls - 1) * notes,
    outputTokens: maps.outputTokens + reduces * reduce.output,
  };
}

/** What a document may cost through the whole cascade. */
export function planCost(workflow: WorkflowSpec, planAt: (model: ModelSpec) => DocumentPlan): CostRange {
  const paid = workflow.cascade.filter(({ model }) => model.name !== LOCAL_MODEL_NAME);
  const hasLocal = paid.length < workflow.cascade.length;
  let low = 0;
  let expected = 0;
  let worst = 0;
  let reach = hasLocal ? ASSUMED_ESCALATION : 1;
  for (const [index, { model }] of paid.entries()) {
    const { inputTokens, outputTokens } = planAt(model);
    const typical = holdFor(model, inputTokens, Math.ceil(outputTokens * TYPICAL_OUTPUT_SHARE));
    if (index === 0 && !hasLocal) low = typical;
    expected += typical * reach;
    reach *= ASSUMED_ESCALATION;
    const atMost = holdFor(model, Math.ceil(inputTokens * COUNT_MARGIN), outputTokens);
    const repaired = holdFor(model, Math.ceil((inputTokens + outputTokens) * COUNT_MARGIN), outputTokens * 4);
    worst += atMost + repaired;
  }
  return { low, expected: Math.round(expected), worst };
}
