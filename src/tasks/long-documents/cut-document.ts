import { runInSteps } from '../../runtime/run-in-steps.ts';
import { chunkTextInSteps } from '../../text/chunk-text.ts';
import type { WorkflowSpec } from '../../workflows/workflow.ts';
import { DocumentParts } from './ask-parts.ts';
import { type DocumentWindows, documentWindows, type StepPrompts } from './document-windows.ts';
import { smallestUsableWindow } from './smallest-window.ts';

export interface DocumentText {
  readonly text: string;
  readonly tokens: number;
}

/** A document as its calls see it: whole, or in parts. */
export type CutDocument =
  | { readonly kind: 'whole' }
  | { readonly kind: 'parts'; readonly parts: DocumentParts; readonly windows: DocumentWindows };

/**
 * @param prompts of the workflow's task
 * @param windowShare under 1 after a provider found a part too long
 * @throws {CallFailedError} `context_overflow`: the prompt leaves no room
 */
export async function cutDocument<W extends WorkflowSpec>(
  workflow: W,
  prompts: (workflow: W) => StepPrompts,
  { text, tokens }: DocumentText,
  windowShare: number,
): Promise<CutDocument> {
  const windows = documentWindows(workflow, prompts, { share: windowShare, documentTokens: tokens });
  if (tokens <= smallestUsableWindow(windows.whole)) return { kind: 'whole' };
  const chunks = await runInSteps(
    chunkTextInSteps(text, {
      maxTokens: smallestUsableWindow(windows.part) + windows.overlap,
      overlapTokens: windows.overlap,
      textTokens: tokens,
    }),
  );
  return { kind: 'parts', parts: new DocumentParts(chunks, workflow.parts?.mayFail), windows };
}
