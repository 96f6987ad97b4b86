import type { ChatMessage } from '../chat.ts';
import type { ClassifyWorkflow } from '../workflow.ts';
import { FENCE_RULE, fenceDocument } from './fence.ts';

export const CLASSIFY_PROMPT_VERSION = 'classify-v1';

/** The stable part comes first, so that providers can cache it. */
export function classifyMessages(workflow: ClassifyWorkflow, text: string): readonly ChatMessage[] {
  const labels = workflow.labels
    .map(({ label, description }) => `- ${JSON.stringify(label)}: ${description}`)
    .join('\n');
  const system = [
    'You assign exactly one label to a document.',
    `Labels:\n${labels}`,
    ...(workflow.instructions === undefined ? [] : [workflow.instructions]),
    FENCE_RULE,
    'Answer with JSON only: {"label": one of the labels, exactly as written, "confidence": number from 0 to 1, how sure you are that this label is right}.',
  ].join('\n\n');
  return [
    { role: 'system', content: system },
    { role: 'user', content: fenceDocument(text) },
  ];
}
