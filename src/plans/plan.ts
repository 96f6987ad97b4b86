import type { NanoUsd } from '../money/money.ts';
import type { Prompt } from '../prompts/question.ts';
import { countRequestTokens, holdFor } from '../requests/estimate.ts';
import { buildModelRequest } from '../requests/model-request.ts';
import { classifyQuestion } from '../tasks/classify/answer.ts';
import { documentWindows, noteBudget } from '../tasks/long-documents/document-windows.ts';
import { noteTokens, summarizeQuestion } from '../tasks/summarize/answer.ts';
import { planMapReduce } from '../tasks/summarize/map-reduce-plan.ts';
import { LOCAL_MODEL_NAME, type ModelSpec, modelsOfTier, type WorkflowSpec } from '../workflows/workflow.ts';

/** The calls that one document takes, the same at every tier. */
export interface DocumentShape {
  /** Its length. */
  readonly tokens: number;
  /** 1: it is answered in one call. */
  readonly parts: number;
  /** Calls that write notes on notes. */
  readonly combines: number;
  /** Calls that write the summary from notes: 0 or 1. */
  readonly reduces: number;
  /** Notes that the combine and reduce calls read. */
  readonly notesRead: number;
  /** Calls that wait for each other, one after the other. */
  readonly depth: number;
  /** All calls. */
  readonly calls: number;
  /** Fewer where the parts of a long classification agree early; else all. */
  readonly leastCalls: number;
}

/** What a document takes at one tier. */
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
/** Below this a window is of no use, and the plan stays finite. */
const LEAST_WINDOW_TOKENS = 16;

/** Tokens of a workflow's prompts around the text, and of their replies. */
export type PromptSizes = Readonly<Record<'single' | 'map' | 'combine' | 'reduce', StepSize>>;

interface StepSize {
  readonly prompt: number;
  readonly output: number;
}

/** What the steps of a workflow take at one model around an empty text; a classification has no combine and reduce steps. */
export function promptSizes(workflow: WorkflowSpec, model: ModelSpec): PromptSizes {
  const size = (prompt: Prompt): StepSize => {
    const request = buildModelRequest(model, prompt, 'first');
    return { prompt: countRequestTokens(request), output: request.maxOutputTokens };
  };
  if (workflow.task === 'classify') {
    const part = size(classifyQuestion(workflow, '', { context: '' }).prompt);
    return { single: size(classifyQuestion(workflow, '').prompt), map: part, combine: part, reduce: part };
  }
  const sizeOf = (step: keyof PromptSizes): StepSize => size(summarizeQuestion(workflow, step, '').prompt);
  return { single: sizeOf('single'), map: sizeOf('map'), combine: sizeOf('combine'), reduce: sizeOf('reduce') };
}

/**
 * The calls that a document takes, known before the first one.
 *
 * @param parts as the chunker cuts it; absent: about as many, by the token count alone
 */
export function shapeDocument(workflow: WorkflowSpec, tokens: number, parts?: number): DocumentShape {
  const windows = documentWindows(workflow);
  if (tokens <= windows.whole) {
    return { tokens, parts: 1, combines: 0, reduces: 0, notesRead: 0, depth: 1, calls: 1, leastCalls: 1 };
  }
  const count = parts ?? Math.ceil(tokens / Math.max(LEAST_WINDOW_TOKENS, windows.part));
  const single = { tokens, parts: count, combines: 0, reduces: 0, notesRead: 0, depth: 1, calls: count };
  // Half of the text has to agree before the rest cannot change the answer.
  if (workflow.task === 'classify') return { ...single, leastCalls: Math.ceil(count / 2) };
  const { levels, calls } = planMapReduce(count, noteBudget(workflow, windows).fanIn);
  const reduces = levels.length === 0 ? 0 : 1;
  return {
    ...single,
    combines: calls - count - reduces,
    reduces,
    notesRead: calls - 1,
    depth: 1 + levels.length,
    calls,
    leastCalls: calls,
  };
}

/** What the calls of a document's shape take at one tier. */
export function planDocument(workflow: WorkflowSpec, sizes: PromptSizes, shape: DocumentShape): DocumentPlan {
  const { single, map, combine, reduce } = sizes;
  const { tokens, parts, combines, reduces, notesRead, calls } = shape;
  if (calls === 1) return { calls, inputTokens: tokens + single.prompt, outputTokens: single.output };
  const windows = documentWindows(workflow);
  const context = parts * (windows.headings + windows.overlap);
  const notes = workflow.task === 'classify' ? { summaryTokens: 0, factTokens: 0 } : noteTokens(workflow, 'map');
  return {
    calls,
    inputTokens:
      tokens +
      context +
      parts * map.prompt +
      combines * combine.prompt +
      reduces * reduce.prompt +
      notesRead * (notes.summaryTokens + notes.factTokens),
    outputTokens: parts * map.output + combines * combine.output + reduces * reduce.output,
  };
}

/** Asked, and asked once more with a longer reply. */
function worstCost(model: ModelSpec, { inputTokens, outputTokens }: DocumentPlan): number {
  const atMost = holdFor(model, Math.ceil(inputTokens * COUNT_MARGIN), outputTokens);
  return atMost + holdFor(model, Math.ceil((inputTokens + outputTokens) * COUNT_MARGIN), outputTokens * 4);
}

/** What a document may cost through the whole cascade. */
export function planCost(workflow: WorkflowSpec, planAt: (model: ModelSpec) => DocumentPlan): CostRange {
  let low = 0;
  let expected = 0;
  let worst = 0;
  let reach = 1;
  for (const [index, tier] of workflow.cascade.entries()) {
    const { model } = tier;
    if (model.name === LOCAL_MODEL_NAME) {
      reach *= ASSUMED_ESCALATION;
      continue;
    }
    const { inputTokens, outputTokens } = planAt(model);
    const typical = holdFor(model, inputTokens, Math.ceil(outputTokens * TYPICAL_OUTPUT_SHARE));
    if (index === 0) low = typical;
    expected += typical * reach;
    reach *= ASSUMED_ESCALATION;
    worst += Math.max(...modelsOfTier(tier).map((each) => worstCost(each, planAt(each))));
  }
  return { low, expected: Math.round(expected), worst };
}
