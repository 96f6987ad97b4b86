import { askCascade, type CascadeAnswer, type CascadeContext } from '../../cascades/ask-cascade.ts';
import type { Chunk } from '../../text/chunk-text.ts';
import type { ClassifyWorkflow } from '../../workflows/workflow.ts';
import type { DocumentParts } from '../long-documents/ask-parts.ts';
import { cutDocument, type DocumentText, planCut } from '../long-documents/cut-document.ts';
import type { StepPrompts } from '../long-documents/document-windows.ts';
import { partContext } from '../long-documents/part-context.ts';
import type { TaskAnswer } from '../task.ts';
import { classifyQuestion, type LabelAnswer } from './answer.ts';
import { mergeVotes, spreadOrder, tokensToDecide } from './votes.ts';

type Answer = CascadeAnswer<LabelAnswer>;

/** The prompts of a classification around an empty text. */
export function classifyPrompts(workflow: ClassifyWorkflow): StepPrompts {
  return {
    single: classifyQuestion(workflow, '').prompt,
    part: classifyQuestion(workflow, '', { context: '' }).prompt,
  };
}

/** One label for a document: in one call where it fits, else its parts vote until the rest cannot change the answer. */
export async function classifyDocument(
  context: CascadeContext,
  workflow: ClassifyWorkflow,
  document: DocumentText,
): Promise<TaskAnswer> {
  const { text } = document;
  const cut = planCut(workflow, classifyPrompts, document, context.windowShare);
  if (cut.kind === 'whole') {
    const { value, confidence, ...by } = await askCascade(context, classifyQuestion(workflow, text));
    const stated = confidence === undefined ? {} : { confidence: round(confidence) };
    return { result: { label: value.label, ...stated }, ...by };
  }
  const { windows } = cut;
  const parts = await cutDocument(workflow, document, windows);
  const answers = await collectVotes(parts, async (chunk) => {
    const before = partContext(text, chunk, windows.headings);
    return await askCascade(
      context,
      classifyQuestion(workflow, text.slice(chunk.start, chunk.end), { context: before }),
    );
  });
  const merged = mergeVotes(answers.map(voteOf), sumTokens(parts.chunks));
  // The dearest tier that any part needed is the one that answered the document.
  const dearest = answers.map(({ answer }) => answer).reduce((a, b) => (b.tier > a.tier ? b : a));
  const { partial } = parts;
  return {
    result: {
      label: merged.label,
      ...(answers.every(({ answer }) => answer.confidence === undefined)
        ? {}
        : { confidence: round(merged.confidence) }),
      ...(partial === undefined ? {} : { partial }),
    },
    tier: dearest.tier,
    model: dearest.model,
    ...(answers.some(({ answer }) => answer.degraded === true) ? { degraded: true } : {}),
  };
}

interface PartAnswer {
  readonly chunk: Chunk;
  readonly answer: Answer;
}

/**
 * Asks parts spread over the text in waves, each the smallest that may settle the answer. Which parts a wave has depends
 * on the votes alone, so that a repeat after a crash asks the same ones and finds them paid for.
 */
async function collectVotes(
  parts: DocumentParts,
  ask: (chunk: Chunk) => Promise<Answer>,
): Promise<readonly PartAnswer[]> {
  const chunkAt = (index: number): Chunk => parts.chunks[index] as Chunk;
  let left = spreadOrder(parts.chunks.length);
  let answers: readonly PartAnswer[] = [];
  while (left.length > 0) {
    const needed = tokensToDecide(answers.map(voteOf), sumTokens(left.map(chunkAt)));
    if (needed === 0) break;
    let tokens = 0;
    const wave = left.filter((index) => {
      if (tokens > needed) return false;
      tokens += chunkAt(index).tokens;
      return true;
    });
    left = left.slice(wave.length);
    const asked = await parts.ask(wave, ask);
    const voted = asked.flatMap((answer, position) =>
      answer === undefined ? [] : [{ chunk: chunkAt(wave[position] as number), answer }],
    );
    answers = [...answers, ...voted];
  }
  return answers.toSorted((a, b) => a.chunk.start - b.chunk.start);
}

function voteOf({ chunk, answer }: PartAnswer) {
  return { label: answer.value.label, confidence: answer.confidence ?? 0, tokens: chunk.tokens };
}

function sumTokens(chunks: readonly { readonly tokens: number }[]): number {
  return chunks.reduce((sum, { tokens }) => sum + tokens, 0);
}

/** Four decimals are more than a confidence is worth. */
export function round(confidence: number): number {
  return Math.round(confidence * 10_000) / 10_000;
}
