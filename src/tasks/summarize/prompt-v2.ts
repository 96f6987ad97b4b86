import type { ChatMessage } from '../../prompts/chat.ts';
import { CONTEXT_RULE, FENCE_RULE, fenceDocument } from '../../prompts/fence.ts';
import { perWorkflow } from '../../workflows/per-workflow.ts';
import type { SummarizeWorkflow } from '../../workflows/workflow.ts';

export const SUMMARIZE_PROMPT_VERSION = 'summarize-v2';

/**
 * `single`: a whole document. `map`: notes on one part. `combine`: notes on notes, where there are too many for one
 * call. `reduce`: the summary, from the notes.
 */
export type SummarizeStep = 'single' | 'map' | 'combine' | 'reduce';

export interface NoteSizes {
  readonly words: number;
  /** Most facts of a note. */
  readonly facts: number;
  readonly factWords: number;
}

const NOTES_READ = 'The document holds notes on the consecutive parts of one text, in order, and facts found in it.';

const INSTRUCTIONS: Readonly<Record<SummarizeStep, (words: number) => string>> = {
  single: (words) => `Summarize the document in at most ${words} words.`,
  map: (words) =>
    `The document is one part of a longer text. Write notes on this part in at most ${words} words, as plain sentences, ` +
    'for someone who will summarize the whole from such notes.',
  combine: (words) =>
    `${NOTES_READ} Write notes on all of them together in at most ${words} words, as plain sentences, for someone who ` +
    'will summarize the whole from such notes.',
  reduce: (words) =>
    `${NOTES_READ} Summarize the whole text from them in at most ${words} words, as if you had read the text itself: ` +
    'do not mention parts, notes or lists of facts.',
};

/** Whether a step's reply is read by another step. */
export function writesNotes(step: SummarizeStep): boolean {
  return step === 'map' || step === 'combine';
}

/** The stable part comes first, so that providers can cache it. */
export function summarizeMessages(
  workflow: SummarizeWorkflow,
  step: SummarizeStep,
  text: string,
  sizes: NoteSizes,
  context = '',
): readonly ChatMessage[] {
  return [
    { role: 'system', content: systemPrompt(workflow, JSON.stringify([step, sizes])) },
    { role: 'user', content: fenceDocument(text, context) },
  ];
}

const systemPrompt = perWorkflow((workflow: SummarizeWorkflow, stepAndSizes: string): string => {
  const [step, sizes] = JSON.parse(stepAndSizes) as [SummarizeStep, NoteSizes];
  const { language } = workflow.summary;
  return [
    INSTRUCTIONS[step](sizes.words),
    'Keep names, numbers, dates and decisions exactly as they stand. State only what the document says. No preamble.',
    language === undefined ? 'Write in the language of the document.' : `Write in ${language}.`,
    ...(workflow.instructions === undefined ? [] : [workflow.instructions]),
    step === 'map' ? `${FENCE_RULE} ${CONTEXT_RULE}` : FENCE_RULE,
    writesNotes(step)
      ? `Answer with JSON only: {"summary": "...", "facts": ["..."]}; facts: the at most ${sizes.facts} most important ` +
        `numbers, names, dates and decisions, each with what it is about, in at most ${sizes.factWords} words.`
      : 'Answer with JSON only: {"summary": "..."}.',
  ].join('\n\n');
});
