import type { ChatMessage } from '../../prompts/chat.ts';
import { CONTEXT_RULE, FENCE_RULE, fenceDocument } from '../../prompts/fence.ts';
import { perWorkflow } from '../../workflows/per-workflow.ts';
import type { ExtractWorkflow } from '../../workflows/workflow.ts';
import { replySchema } from './response-schema.ts';

export const EXTRACT_PROMPT_VERSION = 'extract-v1';

/** A whole document, or a part of one with what stands before it. */
export type ExtractStep = 'single' | 'part';

/** The stable part comes first, so that providers can cache it. */
export function extractMessages(
  workflow: ExtractWorkflow,
  step: ExtractStep,
  text: string,
  context = '',
): readonly ChatMessage[] {
  return [
    { role: 'system', content: systemPrompt(workflow, step) },
    { role: 'user', content: fenceDocument(text, context) },
  ];
}

const systemPrompt = perWorkflow((workflow: ExtractWorkflow, step: ExtractStep): string =>
  [
    step === 'single'
      ? 'You read values from a document.'
      : 'You read values from a longer text, of which the document is one part. Report what this part has, and null for what it does not have.',
    'Take each value from the document and write it as it stands there, unless its description asks for another form. ' +
      'Never guess: a value that the document does not have is null, and a list without items is empty.',
    ...(workflow.instructions === undefined ? [] : [workflow.instructions]),
    step === 'single' ? FENCE_RULE : `${FENCE_RULE} ${CONTEXT_RULE}`,
    'Answer with JSON only, by the schema below. "fields" has the values; "confidence" is a number from 0 to 1, how sure you are that all of them are right.',
    JSON.stringify(replySchema(workflow.extract.fields, step === 'part')),
  ].join('\n\n'),
);
