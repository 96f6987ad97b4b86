import type { ChatMessage } from '../../prompts/chat.ts';
import { CONTEXT_RULE, FENCE_RULE, fenceDocument } from '../../prompts/fence.ts';
import { perWorkflow } from '../../workflows/per-workflow.ts';
import type { ClassifyWorkflow } from '../../workflows/workflow.ts';

export const CLASSIFY_PROMPT_VERSION = 'classify-v2';

/** A whole document, or a part of one with what stands before it. */
export type ClassifyStep = 'single' | 'part';

/** The stable part comes first, so that providers can cache it. */
export function classifyMessages(
  workflow: ClassifyWorkflow,
  step: ClassifyStep,
  text: string,
  context = '',
): readonly ChatMessage[] {
  return [
    { role: 'system', content: systemPrompt(workflow, step) },
    { role: 'user', content: fenceDocument(text, context) },
  ];
}

const systemPrompt = perWorkflow((workflow: ClassifyWorkflow, step: ClassifyStep): string => {
  const labels = workflow.labels
    .map(({ label, description }) => `- ${JSON.stringify(label)}: ${description}`)
    .join('\n');
  return [
    step === 'single'
      ? 'You assign exactly one label to a document.'
      : 'You assign exactly one label to a longer text, of which the document is one part.',
    `Labels:\n${labels}`,
    ...(workflow.instructions === undefined ? [] : [workflow.instructions]),
    step === 'single' ? FENCE_RULE : `${FENCE_RULE} ${CONTEXT_RULE}`,
    'Answer with JSON only: {"label": one of the labels, exactly as written, "confidence": number from 0 to 1, how sure you are that this label is right}.',
  ].join('\n\n');
});
