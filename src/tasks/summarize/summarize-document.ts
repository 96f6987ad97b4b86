import { askCascade, type CascadeAnswer, type CascadeContext } from '../../cascades/ask-cascade.ts';
import { runInSteps } from '../../runtime/run-in-steps.ts';
import { settleAll } from '../../runtime/settle-all.ts';
import type { Chunk } from '../../text/chunk-text.ts';
import type { SummarizeWorkflow } from '../../workflows/workflow.ts';
import { cutDocument, type DocumentText, planCut } from '../long-documents/cut-document.ts';
import type { StepPrompts } from '../long-documents/document-windows.ts';
import { partContext } from '../long-documents/part-context.ts';
import { smallestUsableWindow } from '../long-documents/smallest-window.ts';
import type { PartialAnswer, TextSpan } from '../result-row.ts';
import type { TaskAnswer } from '../task.ts';
import { noteBudget, type SummaryAnswer, summarizeQuestion } from './answer.ts';
import { planMapReduce } from './map-reduce-plan.ts';
import { combineNotes, fitNote, joinNotes, type Note, type NoteBudget } from './notes.ts';
import { traceSources } from './trace-sources.ts';

type Answer = CascadeAnswer<SummaryAnswer>;

/** The prompts of a summary around an empty text. */
export function summarizePrompts(workflow: SummarizeWorkflow): StepPrompts {
  const { prompt: single } = summarizeQuestion(workflow, 'single', '');
  const { prompt: part } = summarizeQuestion(workflow, 'map', '');
  const { prompt: combine } = summarizeQuestion(workflow, 'combine', '');
  const { prompt: reduce } = summarizeQuestion(workflow, 'reduce', '');
  return { single, part, merges: { combine, reduce } };
}

/**
 * One summary of a document: in one call where it fits, else notes on each part (map) that are put together level by
 * level (combine) until one call can read them all (reduce). The tree is planned before the first call, so its calls are
 * known; facts travel beside the notes, so that details survive every level.
 */
export async function summarizeDocument(
  context: CascadeContext,
  workflow: SummarizeWorkflow,
  document: DocumentText,
): Promise<TaskAnswer> {
  const { text } = document;
  const cut = planCut(workflow, summarizePrompts, document, context.windowShare);
  if (cut.kind === 'whole') {
    const answer = await askCascade(context, summarizeQuestion(workflow, 'single', text));
    return await documentResult(workflow, text, answer, [{ start: 0, end: text.length }]);
  }
  const { windows } = cut;
  const parts = await cutDocument(workflow, document, windows);
  const budget = noteBudget(workflow, smallestUsableWindow(windows.notes));
  const maps = await parts.ask([...parts.chunks.keys()], async (chunk: Chunk) => {
    const before = partContext(text, chunk, windows.headings);
    return await askCascade(context, summarizeQuestion(workflow, 'map', text.slice(chunk.start, chunk.end), before));
  });
  const notes = maps.map((map) => (map === undefined ? undefined : fitNote(map.value, budget)));
  const { answer, degraded } = await reduceNotes(context, workflow, notes, budget);
  const answered = parts.chunks.filter((_, index) => maps[index] !== undefined);
  const anyDegraded = degraded || maps.some((map) => map?.degraded === true);
  return await documentResult(
    workflow,
    text,
    anyDegraded ? { ...answer, degraded: true } : answer,
    answered,
    parts.partial,
  );
}

/** Notes level by level, in order. A part that failed has no note; a group of one is passed on as it is. */
async function reduceNotes(
  context: CascadeContext,
  workflow: SummarizeWorkflow,
  maps: readonly (Note | undefined)[],
  budget: NoteBudget,
): Promise<{ readonly answer: Answer; readonly degraded: boolean }> {
  const { levels } = planMapReduce(maps.length, budget.fanIn);
  let notes = maps;
  let degraded = false;
  for (const level of levels.slice(0, -1)) {
    notes = await settleAll(
      level.map(async ([from, to]) => {
        const read = present(notes.slice(from, to));
        if (read.length < 2) return read[0];
        const { value, ...by } = await askCascade(context, summarizeQuestion(workflow, 'combine', joinNotes(read)));
        degraded ||= by.degraded === true;
        return combineNotes(value, read, budget);
      }),
    );
  }
  const answer = await askCascade(context, summarizeQuestion(workflow, 'reduce', joinNotes(present(notes))));
  return { answer, degraded };
}

function present(notes: readonly (Note | undefined)[]): readonly Note[] {
  return notes.filter((note) => note !== undefined);
}

async function documentResult(
  workflow: SummarizeWorkflow,
  text: string,
  { value, confidence: _, ...by }: Answer,
  chunks: readonly TextSpan[],
  partial?: PartialAnswer,
): Promise<TaskAnswer> {
  const { summary } = value;
  const traced = workflow.summary.provenance === true;
  return {
    result: {
      summary,
      ...(traced ? { sources: await runInSteps(traceSources(summary, text, chunks)) } : {}),
      ...(partial === undefined ? {} : { partial }),
    },
    ...by,
  };
}
