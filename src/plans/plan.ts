import type { NanoUsd } from '../money/money.ts';
import type { Prompt } from '../prompts/question.ts';
import { countRequestTokens, holdFor, typicalCost } from '../requests/estimate.ts';
import { buildModelRequest } from '../requests/model-request.ts';
import { taskOf, windowsOf } from '../tasks/tasks.ts';
import { hostsOf, LOCAL_MODEL_NAME, type ModelSpec, modelsOfTier, type WorkflowSpec } from '../workflows/workflow.ts';

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
  /** Some documents move on to the next tier. */
  readonly expected: NanoUsd;
  /** Every tier is asked and once more to repair, with replies as long as they may be. */
  readonly worst: NanoUsd;
}

/** Replies use about this part of their cap: caps are tight, but nobody writes to the last token. */
const TYPICAL_OUTPUT_SHARE = 0.5;
/** Without history: this part of the documents moves on from one tier to the next. */
export const ASSUMED_ESCALATION = 0.3;
/** Our count of tokens is not every model's. */
const COUNT_MARGIN = 1.25;
/** Below this a window is of no use, and the plan stays finite. */
const MIN_WINDOW_TOKENS = 16;

/** Tokens of a workflow's prompts around the text, and of their replies. */
export type PromptSizes = Readonly<Record<'single' | 'map' | 'combine' | 'reduce', StepSize>>;

interface StepSize {
  readonly prompt: number;
  readonly output: number;
}

/** What the steps of a workflow take at one model around an empty text. */
export function promptSizes(workflow: WorkflowSpec, model: ModelSpec): PromptSizes {
  const size = (prompt: Prompt): StepSize => {
    const request = buildModelRequest(model, prompt, 'first');
    return { prompt: countRequestTokens(request), output: request.maxOutputTokens };
  };
  const { single, part, merges } = taskOf(workflow).prompts(workflow);
  return {
    single: size(single),
    map: size(part),
    combine: size(merges?.combine ?? part),
    reduce: size(merges?.reduce ?? part),
  };
}

/**
 * The calls that a document takes, known before the first one.
 *
 * @param parts as the chunker cuts it; absent: about as many, by the token count alone
 */
export function shapeDocument(workflow: WorkflowSpec, tokens: number, parts?: number): DocumentShape {
  const windows = windowsOf(workflow);
  if (tokens <= windows.whole) {
    return { tokens, parts: 1, combines: 0, reduces: 0, notesRead: 0, depth: 1, calls: 1, leastCalls: 1 };
  }
  const count = parts ?? Math.ceil(tokens / Math.max(MIN_WINDOW_TOKENS, windows.part));
  const plan = taskOf(workflow).planParts(workflow, count, windows.notes);
  const { combines, reduces } = plan;
  const calls = count + combines + reduces;
  // Every note but the last one, which is the answer, is read by a later call.
  return { tokens, parts: count, calls, notesRead: combines + reduces === 0 ? 0 : calls - 1, ...plan };
}

/** What the calls of a document's shape take at one tier. */
export function planDocument(workflow: WorkflowSpec, sizes: PromptSizes, shape: DocumentShape): DocumentPlan {
  const { single, map, combine, reduce } = sizes;
  const { tokens, parts, combines, reduces, notesRead, calls } = shape;
  if (calls === 1) return { calls, inputTokens: tokens + single.prompt, outputTokens: single.output };
  const windows = windowsOf(workflow);
  const context = parts * (windows.headings + windows.overlap);
  return {
    calls,
    inputTokens:
      tokens +
      context +
      parts * map.prompt +
      combines * combine.prompt +
      reduces * reduce.prompt +
      notesRead * taskOf(workflow).noteTokens(workflow),
    outputTokens: parts * map.output + combines * combine.output + reduces * reduce.output,
  };
}

/** What one call costs whose answer is taken, and at the most. */
export function callCost(model: ModelSpec, plan: DocumentPlan): CostRange {
  const typical = typicalAt(model, plan);
  return { low: typical, expected: typical, worst: worstCost(model, plan) };
}

/** Asked, and asked once more with a longer reply. */
function worstCost(model: ModelSpec, { inputTokens, outputTokens }: DocumentPlan): number {
  const atMost = holdFor(model, Math.ceil(inputTokens * COUNT_MARGIN), outputTokens);
  return atMost + holdFor(model, Math.ceil((inputTokens + outputTokens) * COUNT_MARGIN), outputTokens * 4);
}

function typicalAt(model: ModelSpec, { inputTokens, outputTokens }: DocumentPlan): NanoUsd {
  return typicalCost(model, inputTokens, Math.ceil(outputTokens * TYPICAL_OUTPUT_SHARE));
}

/**
 * What a document may cost through the cascade.
 *
 * @param start index of the tier that it begins at
 */
export function planCost(workflow: WorkflowSpec, planAt: (model: ModelSpec) => DocumentPlan, start = 0): CostRange {
  let low = 0;
  let expected = 0;
  let worst = 0;
  let reach = 1;
  for (const [index, tier] of workflow.cascade.entries()) {
    if (index < start) continue;
    const { model } = tier;
    if (model.name === LOCAL_MODEL_NAME) {
      reach *= ASSUMED_ESCALATION;
      continue;
    }
    // Nobody knows how much of it each host will get: the bounds are those of the cheapest and of the dearest one.
    const typical = hostsOf(tier).map((host) => typicalAt(host, planAt(host)));
    if (index === start) low = Math.min(...typical);
    expected += Math.max(...typical) * reach;
    reach *= ASSUMED_ESCALATION;
    worst += Math.max(...modelsOfTier(tier).map((each) => worstCost(each, planAt(each))));
  }
  return { low, expected: Math.round(expected), worst };
}
