import { chunkText } from '../domain/chunk-text.ts';
import type { TaskResult } from '../domain/result-row.ts';
import { classifyQuestion, mergeVotes } from '../domain/tasks/classify.ts';
import type { ClassifyWorkflow } from '../domain/workflow.ts';
import { askCascade, type CascadeContext } from './ask-cascade.ts';
import { documentWindow } from './document-window.ts';
import { settleAll } from './settle-all.ts';

export interface DocumentResult {
  readonly result: TaskResult;
  readonly tier: number;
  readonly model: string;
  /** A tier answered under its threshold, because the workflow drains. */
  readonly degraded?: boolean;
}

/** One label for a document: in one call where it fits, else its parts vote. */
export async function classifyDocument(
  context: CascadeContext,
  workflow: ClassifyWorkflow,
  document: { readonly text: string; readonly tokens: number },
): Promise<DocumentResult> {
  const promptOf = () => classifyQuestion(workflow, '').prompt;
  const window = documentWindow(context, document.tokens, 'single', promptOf);
  if (document.tokens <= window) {
    const { value, confidence, ...by } = await askCascade(context, classifyQuestion(workflow, document.text));
    return { result: { label: value.label, confidence: round(confidence) }, ...by };
  }
  const chunks = chunkText(document.text, { maxTokens: window });
  const answers = await settleAll(
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
  return {
    result: { label: merged.label, confidence: round(merged.confidence) },
    tier: dearest.tier,
    model: dearest.model,
    ...(answers.some((answer) => answer.degraded === true) ? { degraded: true } : {}),
  };
}

/** Four decimals are more than a confidence is worth. */
export function round(confidence: number): number {
  return Math.round(confidence * 10_000) / 10_000;
}
