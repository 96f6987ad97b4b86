import type { SummarizeWorkflow } from '../../workflows/workflow.ts';
import type { LocalOutcome, LocalQuestion, PartsPlan, Task } from '../task.ts';
import { noteBudget, noteTokens } from './answer.ts';
import { planMapReduce } from './map-reduce-plan.ts';
import { summarizeOptions } from './options.ts';
import { SUMMARIZE_PROMPT_VERSION } from './prompt-v2.ts';
import { summarizeSetup } from './setup.ts';
import { summarizeDocument, summarizePrompts } from './summarize-document.ts';

/** One summary of each document. */
export const summarizeTask = {
  options: summarizeOptions,
  setup: summarizeSetup,
  hasNoConfidence: true,
  promptVersion: SUMMARIZE_PROMPT_VERSION,
  prompts: summarizePrompts,
  noteTokens: (workflow) => {
    const { summaryTokens, factTokens } = noteTokens(workflow, 'map');
    return summaryTokens + factTokens;
  },
  planParts,
  answer: summarizeDocument,
  answerLocally,
  digestPart: (result) => ('summary' in result ? { text: result.summary } : {}),
  columns: {
    answer: [{ name: 'summary', kind: 'text' }],
    origin: [{ name: 'kind', kind: 'text' }],
    details: [
      { name: 'partial', kind: 'json' },
      { name: 'sources', kind: 'json' },
    ],
  },
} satisfies Task<SummarizeWorkflow>;

function planParts(workflow: SummarizeWorkflow, parts: number, notesWindow: number): PartsPlan {
  const { levels, calls } = planMapReduce(parts, noteBudget(workflow, notesWindow).fanIn);
  const reduces = levels.length === 0 ? 0 : 1;
  return { combines: calls - parts - reduces, reduces, depth: 1 + levels.length, leastCalls: calls };
}

async function answerLocally(
  { local, signal, monotonic }: LocalQuestion,
  workflow: SummarizeWorkflow,
  texts: readonly string[],
): Promise<readonly LocalOutcome[]> {
  const { maxWords } = workflow.summary;
  const outcomes: LocalOutcome[] = [];
  for (const text of texts) {
    const startedAt = monotonic();
    const { text: summary, isWhole, isEnglish } = await local.extract(text, { maxWords }, signal);
    outcomes.push(
      summary === ''
        ? {
            kind: 'unsure',
            code: 'empty_document',
            message: 'The document has no words to extract a summary from.',
          }
        : {
            kind: 'answered',
            result: { summary, kind: 'extract' },
            localMs: monotonic() - startedAt,
            warnings: [...(isWhole ? (['whole_text'] as const) : []), ...(isEnglish ? [] : (['not_english'] as const))],
          },
    );
  }
  return outcomes;
}
