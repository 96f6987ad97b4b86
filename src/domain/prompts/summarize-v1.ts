import type { ChatMessage } from '../chat.ts';
import type { SummarizeWorkflow } from '../workflow.ts';
import { FENCE_RULE, fenceDocument } from './fence.ts';

export const SUMMARIZE_PROMPT_VERSION = 'summarize-v1';

/** A whole document, a part of one, or the notes on all its parts. */
export type SummarizeStep = 'single' | 'map' | 'reduce';

const INSTRUCTIONS: Readonly<Record<SummarizeStep, (words: number) => string>> = {
  single: (words) => `Summarize the document in at most ${words} words.`,
  map: (words) =>
    `The document is one part of a longer text. Write notes on this part in at most ${words} words, as plain sentences, ` +
    'for someone who will summarize the whole from such notes.',
  reduce: (words) =>
    'The document holds notes on the consecutive parts of one text, in order. Summarize the whole text from them ' +
    `in at most ${words} words, as if you had read the text itself: do not mention parts or notes.`,
};

export function summarizeMessages(
  workflow: SummarizeWorkflow,
  step: SummarizeStep,
  text: string,
  maxWords: number,
): readonly ChatMessage[] {
  const { language } = workflow.summary;
  const system = [
    INSTRUCTIONS[step](maxWords),
    'Keep names, numbers, dates and decisions exactly as they stand. State only what the document says. No preamble.',
    language === undefined ? 'Write in the language of the document.' : `Write in ${language}.`,
    ...(workflow.instructions === undefined ? [] : [workflow.instructions]),
    FENCE_RULE,
    'Answer with JSON only: {"summary": "..."}.',
  ].join('\n\n');
  return [
    { role: 'system', content: system },
    { role: 'user', content: fenceDocument(text) },
  ];
}
