import { type ClassifyWorkflow, leastConfidence } from '../../workflows/workflow.ts';
import type { LocalOutcome, LocalQuestion, Task } from '../task.ts';
import { classifyDocument, classifyPrompts, round } from './classify-document.ts';
import { classifyOptions } from './options.ts';
import { CLASSIFY_PROMPT_VERSION } from './prompt-v2.ts';
import { classifySetup } from './setup.ts';

/** One label of a given set for each document. */
export const classifyTask = {
  options: classifyOptions,
  setup: classifySetup,
  promptVersion: CLASSIFY_PROMPT_VERSION,
  prompts: classifyPrompts,
  noteTokens: () => 0,
  // Half of the text has to agree before the rest cannot change the answer.
  planParts: (_, parts) => ({ combines: 0, reduces: 0, depth: 1, leastCalls: Math.ceil(parts / 2) }),
  answer: classifyDocument,
  answerLocally,
  digestPart: (result) => ('label' in result ? { label: result.label } : {}),
  columns: {
    answer: [
      { name: 'label', kind: 'text' },
      { name: 'confidence', kind: 'double' },
    ],
    details: [{ name: 'partial', kind: 'json' }],
  },
} satisfies Task<ClassifyWorkflow>;

async function answerLocally(
  { local, tier, signal, monotonic }: LocalQuestion,
  workflow: ClassifyWorkflow,
  texts: readonly string[],
): Promise<readonly LocalOutcome[]> {
  const startedAt = monotonic();
  const answers = await local.classify(workflow, texts, signal);
  const localMs = (monotonic() - startedAt) / texts.length;
  return answers.map(({ label, confidence, familiar, reason }): LocalOutcome => {
    if (reason === 'no_text') {
      const message = 'The document has no words to classify.';
      return { kind: 'unsure', rejection: reason, code: 'empty_document', message };
    }
    const acceptAt = leastConfidence(tier, label);
    if (acceptAt === undefined || (confidence >= acceptAt && familiar)) {
      const result = { label, confidence: round(confidence) };
      return { kind: 'answered', result, localMs, warnings: reason === 'not_english' ? [reason] : [] };
    }
    const why = reason === undefined ? '' : ` (${reason})`;
    return {
      kind: 'unsure',
      rejection: familiar ? 'low_confidence' : (reason ?? 'unfamiliar'),
      code: 'low_confidence',
      said: { label, confidence: round(confidence) },
      message:
        `The local model's confidence ${confidence.toFixed(3)} is under acceptAt ${acceptAt}${why}. ` +
        'Add examples, lower acceptAt, or add a paid tier to the cascade.',
    };
  });
}
