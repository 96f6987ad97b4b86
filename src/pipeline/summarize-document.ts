import { chunkText } from '../domain/chunk-text.ts';
import type { SummarizeStep } from '../domain/prompts/summarize-v1.ts';
import { planMapReduce } from '../domain/tasks/map-reduce-plan.ts';
import { joinNotes, type SummaryAnswer, summarizeQuestion, summaryTokens } from '../domain/tasks/summarize.ts';
import type { SummarizeWorkflow } from '../domain/workflow.ts';
import { askCascade, type CascadeAnswer, type CascadeContext } from './ask-cascade.ts';
import type { DocumentResult } from './classify-document.ts';
import { documentWindow } from './document-window.ts';
import { settleAll } from './settle-all.ts';

/**
 * One summary of a document: in one call where it fits, else notes on each part (map) that are summarized together
 * (reduce) until one text is left. The tree is planned before the first call, so its calls are known.
 */
export async function summarizeDocument(
  context: CascadeContext,
  workflow: SummarizeWorkflow,
  document: { readonly text: string; readonly tokens: number },
): Promise<DocumentResult> {
  const window = (step: SummarizeStep) =>
    documentWindow(context, document.tokens, step, () => summarizeQuestion(workflow, step, '').prompt);
  const ask = (step: SummarizeStep, text: string) => askCascade(context, summarizeQuestion(workflow, step, text));
  if (document.tokens <= window('single')) return documentResult(await ask('single', document.text));

  const chunks = chunkText(document.text, { maxTokens: window('map') });
  // A note of more than one and a half times its words is rejected, so notes fit their cap and the fan-in holds.
  const fanIn = Math.max(2, Math.floor(window('reduce') / summaryTokens(workflow, 'map')));
  const plan = planMapReduce(chunks.length, fanIn);
  let answers = await settleAll(chunks.map((chunk) => ask('map', document.text.slice(chunk.start, chunk.end))));
  for (const [depth, level] of plan.levels.entries()) {
    const step = depth === plan.levels.length - 1 ? 'reduce' : 'map';
    const notes = answers.map((answer) => answer.value.summary);
    answers = await settleAll(level.map(([from, to]) => ask(step, joinNotes(notes.slice(from, to)))));
  }
  const [answer] = answers;
  if (answer === undefined) throw new RangeError('A document that does not fit one call has at least one part');
  return documentResult(answer);
}

function documentResult({ value, confidence: _, ...by }: CascadeAnswer<SummaryAnswer>): DocumentResult {
  return { result: { summary: value.summary }, ...by };
}
