import type { Prompt } from '../../prompts/question.ts';
import { countRequestTokens } from '../../requests/estimate.ts';
import { buildModelRequest, type ModelRequest } from '../../requests/model-request.ts';
import { LOCAL_MODEL_NAME, type ModelSpec, modelsOfTier, type WorkflowSpec } from '../../workflows/workflow.ts';

/** Our count of tokens is not every model's: this part of a window stays free. */
const SAFE_SHARE = 0.85;
/** Headings above a part, and the marks around them. */
const HEADING_TOKENS = 64;
const CONTEXT_FRAME_TOKENS = 48;
/** What surrounds a part takes at most this share of its window. */
const MAX_CONTEXT_SHARE = 0.25;

/** What a task says to a model around a text: the prompts of its steps for an empty one. */
export interface StepPrompts {
  /** For a whole document. */
  readonly single: Prompt;
  readonly part: Prompt;
  /** Where calls merge the answers to the parts: into notes again, and into the answer. */
  readonly merges?: { readonly combine: Prompt; readonly reduce: Prompt };
}

/** After a provider found a part too long. */
export interface SmallerWindows {
  /** Of the usual window, or of the document where that is smaller, which a part may fill now. */
  readonly share: number;
  readonly documentTokens: number;
}

/** How much text the calls for a document may hold, so that it fits every paid tier and all tiers see the same parts. */
export interface DocumentWindows {
  /** Most tokens of a document that is answered in one call. */
  readonly whole: number;
  /** Most tokens of a part, without its context. */
  readonly part: number;
  /** Tokens of the part before that a part is shown. */
  readonly overlap: number;
  /** Most tokens of the headings that a part is shown. */
  readonly headings: number;
  /** Most tokens that a call which reads notes has for them; 0 where no call does. */
  readonly notes: number;
}

interface StepWindows {
  readonly single: number;
  readonly part: number;
  readonly notes: number;
}

const stepWindows = new WeakMap<WorkflowSpec, StepWindows>();

/** @param prompts of the workflow's task; `windowsOf()` in tasks.ts knows them */
export function documentWindows<W extends WorkflowSpec>(
  workflow: W,
  prompts: (workflow: W) => StepPrompts,
  smaller: SmallerWindows = { share: 1, documentTokens: 0 },
): DocumentWindows {
  const { share, documentTokens } = smaller;
  const fitted = (window: number): number =>
    share === 1 ? window : Math.floor(Math.min(window, documentTokens) * share);
  const steps = stepWindowsOf(workflow, prompts);
  const { maxTokens = Number.POSITIVE_INFINITY, overlapTokens = 0 } = workflow.parts ?? {};
  const part = fitted(steps.part);
  const context = Math.floor(part * MAX_CONTEXT_SHARE);
  const headings = Math.max(0, Math.min(HEADING_TOKENS, context - CONTEXT_FRAME_TOKENS));
  const overlap = Math.max(0, Math.min(overlapTokens, maxTokens, context - CONTEXT_FRAME_TOKENS - headings));
  const around = headings === 0 ? 0 : CONTEXT_FRAME_TOKENS + headings + overlap;
  return {
    whole: Math.min(fitted(steps.single), maxTokens),
    part: Math.min(part - around, maxTokens),
    overlap,
    headings,
    notes: fitted(steps.notes),
  };
}

/** The prompts around an empty text are the same for every document of a workflow. */
function stepWindowsOf<W extends WorkflowSpec>(workflow: W, prompts: (workflow: W) => StepPrompts): StepWindows {
  let windows = stepWindows.get(workflow);
  if (windows === undefined) {
    const models = workflow.cascade.flatMap(modelsOfTier).filter(({ name }) => name !== LOCAL_MODEL_NAME);
    const window = (prompt: Prompt): number => smallestWindow(models, prompt);
    const { single, part, merges } = prompts(workflow);
    windows = {
      single: window(single),
      part: window(part),
      notes: merges === undefined ? 0 : Math.min(window(merges.combine), window(merges.reduce)),
    };
    stepWindows.set(workflow, windows);
  }
  return windows;
}

function smallestWindow(models: readonly ModelSpec[], prompt: Prompt): number {
  return Math.min(
    ...models.map((model) => {
      const request = buildModelRequest(model, prompt, 'first');
      return roomFor(model, request, countRequestTokens(request));
    }),
  );
}

/** Tokens of a context that are left for a text, beside a prompt of so many and the longest reply. */
export function roomFor(model: ModelSpec, { maxOutputTokens }: ModelRequest, promptTokens: number): number {
  return Math.floor((model.contextTokens - maxOutputTokens) * SAFE_SHARE) - promptTokens;
}
