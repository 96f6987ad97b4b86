import { createHash } from 'node:crypto';
import { classifyQuestion } from '../tasks/classify.ts';
import { summarizeQuestion } from '../tasks/summarize.ts';
import type { WorkflowSpec } from '../workflow.ts';
import { CLASSIFY_PROMPT_VERSION } from './classify-v1.ts';
import { SUMMARIZE_PROMPT_VERSION } from './summarize-v1.ts';

/** Version and hash of everything that a workflow says to a model besides the document. */
export function promptIdentity(workflow: WorkflowSpec): { readonly version: string; readonly sha256: string } {
  const prompts =
    workflow.task === 'classify'
      ? [classifyQuestion(workflow, '').prompt]
      : (['single', 'map', 'reduce'] as const).map((step) => summarizeQuestion(workflow, step, '').prompt);
  return {
    version: workflow.task === 'classify' ? CLASSIFY_PROMPT_VERSION : SUMMARIZE_PROMPT_VERSION,
    sha256: createHash('sha256').update(JSON.stringify(prompts)).digest('hex'),
  };
}
