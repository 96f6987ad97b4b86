import { chunkText } from '../domain/chunk-text.ts';
import type { TaskResult } from '../domain/result-row.ts';
import { classifyQuestion, mergeVotes } from '../domain/tasks/classify.ts';
import type { ClassifyWorkflow } from '../domain/workflow.ts';
import { askCascade, type CascadeContext } from './ask-cascade.ts';
import { documentWindow } from './document-window.ts';
import { smallestUsableWindow } from './smallest-window.ts';

export interface DocumentResult {
  readonly result: TaskResult;
  readonly tier: number;
  readonly model: string;
}

/** One label for a document: in one call where it fits, else its parts vote. */
export async function classifyDocument(
  context: CascadeContext,
  workflow: ClassifyWorkflow,
  document: { readonly text: string; readonly tokens: number },
): Promise<DocumentResult> {
  const window = smallestUsableWindow(documentWindow(context.tiers, () => classifyQuestion(workflow, '').prompt));
  if (document.tokens <= window) {
    const { value, confidence, tier, model } = await askCascade(context, classifyQuestion(workflow, document.text));
    return { result: { label: value.label, confidence }, tier, model };
  }
  const chunks = chunkText(document.text, { maxTokens: window });
  const answers = await Promise.all(
    chunks.map(async (chunk) => ({
      tokens: chunk.tokens,
      ...(await askCascade(context, classifyQuestion(workflow, document.text.slice(chunk.start, chunk.end)))),
    })),
  );
  const merged = mergeVotes(
    answers.map(({ value, confidence, tokens }) => ({ label: value.label, confidence, tokens })),
  );
  // The dearest tier that any part needed is the one that answered the document.
  const dearest = answers.reduce((a, b) => (b.tier > a.tier ? b : a));
  return { result: merged, tier: dearest.tier, model: dearest.model };
}
