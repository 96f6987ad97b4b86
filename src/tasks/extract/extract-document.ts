import { CallFailedError } from '../../calls/stop.ts';
import { askCascade, type CascadeContext } from '../../cascades/ask-cascade.ts';
import type { ExtractWorkflow } from '../../workflows/workflow.ts';
import { round } from '../classify/classify-document.ts';
import { cutDocument, type DocumentText, planCut } from '../long-documents/cut-document.ts';
import type { StepPrompts } from '../long-documents/document-windows.ts';
import { partContext } from '../long-documents/part-context.ts';
import type { ExtractedFields, TextSpan } from '../result-row.ts';
import type { TaskAnswer } from '../task.ts';
import { extractQuestion } from './answer.ts';
import { checkFields } from './check-fields.ts';
import { placesOf } from './find-value.ts';
import { type MergedFields, mergeFields, type Sources } from './merge-fields.ts';
import { leavesOf } from './paths.ts';

/** The prompts of an extraction around an empty text. */
export function extractPrompts(workflow: ExtractWorkflow): StepPrompts {
  return {
    single: extractQuestion(workflow, '').prompt,
    part: extractQuestion(workflow, '', { context: '' }).prompt,
  };
}

/** The fields of a document: in one call where it fits, else read from each of its parts and merged. */
export async function extractDocument(
  context: CascadeContext,
  workflow: ExtractWorkflow,
  document: DocumentText,
): Promise<TaskAnswer> {
  const { text } = document;
  const cut = planCut(workflow, extractPrompts, document, context.windowShare);
  if (cut.kind === 'whole') {
    const { value, confidence, ...by } = await askCascade(context, extractQuestion(workflow, text));
    const sources = findSources(workflow, value.fields, text, { start: 0, end: text.length });
    return { result: resultOf(workflow, { ...value, sources }, confidence), ...by };
  }
  const { windows } = cut;
  const parts = await cutDocument(workflow, document, windows);
  const answers = await parts.ask([...parts.chunks.keys()], async (chunk) => {
    const before = partContext(text, chunk, windows.headings);
    const part = text.slice(chunk.start, chunk.end);
    const answer = await askCascade(context, extractQuestion(workflow, part, { context: before }));
    return { ...answer, sources: findSources(workflow, answer.value.fields, part, chunk) };
  });
  const known = answers.filter((answer) => answer !== undefined);
  const merged = mergeFields(
    workflow.extract.fields,
    known.map(({ value, confidence, sources }) => ({
      ...value,
      sources,
      ...(confidence === undefined ? {} : { confidence }),
    })),
  );
  const { problems } = checkFields(workflow.extract.fields, merged.fields, false);
  if (problems.length > 0) {
    throw new CallFailedError(
      'invalid_field',
      `What the ${known.length} parts of the document say together does not fit the schema: ${problems.slice(0, 5).join('; ')}.`,
    );
  }
  // The dearest tier that any part needed is the one that answered the document.
  const dearest = known.reduce((a, b) => (b.tier > a.tier ? b : a));
  const result = resultOf(workflow, merged, leastSure(known.map(({ confidence }) => confidence)));
  const { partial } = parts;
  return {
    result: partial === undefined ? result : { ...result, partial },
    tier: dearest.tier,
    model: dearest.model,
    ...(known.some(({ degraded }) => degraded === true) ? { degraded: true } : {}),
  };
}

function resultOf(
  { extract }: ExtractWorkflow,
  { fields, confidences, sources }: MergedFields,
  confidence: number | undefined,
): ExtractedFields {
  const least = confidences === undefined ? confidence : Math.min(1, ...Object.values(confidences));
  return {
    fields,
    ...(least === undefined ? {} : { confidence: round(least) }),
    ...(confidences === undefined
      ? {}
      : { confidences: Object.fromEntries(Object.entries(confidences).map(([name, one]) => [name, round(one)])) }),
    ...(extract.withoutSources === true ? {} : { sources }),
  };
}

function leastSure(confidences: readonly (number | undefined)[]): number | undefined {
  return confidences.reduce(
    (least, one) => (least === undefined || one === undefined ? undefined : Math.min(least, one)),
    1,
  );
}

/** @param read what the model was shown of the document */
function findSources({ extract }: ExtractWorkflow, fields: unknown, text: string, read: TextSpan): Sources {
  if (extract.withoutSources === true) return {};
  const { start, end } = read;
  return Object.fromEntries(
    [...leavesOf(extract.fields, fields)].map(({ at, value }) => {
      const places = placesOf(value, text).map((one) => ({ start: start + one.start, end: start + one.end }));
      return [at, places.length === 0 ? [{ start, end }] : places];
    }),
  );
}
