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

/** A document as its calls will see it: whole, or in parts. */
export type DocumentCut = { readonly kind: 'whole' } | { readonly kind: 'parts'; readonly windows: DocumentWindows };

/**
 * @param prompts of the workflow's task
 * @param windowShare under 1 after a provider found a part too long
 * @throws {CallFailedError} `context_overflow`: the prompt leaves no room
 */
export function planCut<W extends WorkflowSpec>(
  workflow: W,
  prompts: (workflow: W) => StepPrompts,
  { tokens }: DocumentText,
  windowShare: number,
): DocumentCut {
  const windows = documentWindows(workflow, prompts, { share: windowShare, documentTokens: tokens });
  return tokens <= smallestUsableWindow(windows.whole) ? { kind: 'whole' } : { kind: 'parts', windows };
}

/** The parts of a document that does not fit. */
export async function cutDocument(
  workflow: WorkflowSpec,
  { text, tokens }: DocumentText,
  windows: DocumentWindows,
): Promise<DocumentParts> {
  const chunks = await runInSteps(
    chunkTextInSteps(text, {
      maxTokens: smallestUsableWindow(windows.part) + windows.overlap,
      overlapTokens: windows.overlap,
      textTokens: tokens,
    }),
  );
  return new DocumentParts(chunks, workflow.parts?.mayFail);
}
