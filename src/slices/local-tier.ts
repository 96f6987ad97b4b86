import type { SliceEntry } from '../batches/slice-entry.ts';
import type { SliceRun } from '../calls/slice-run.ts';
import { CallFailedError } from '../calls/stop.ts';
import type { LocalModel } from '../local-model/local-model.ts';
import { round } from '../tasks/classify/classify-document.ts';
import { LOCAL_MODEL_NAME, type Tier, type WorkflowSpec } from '../workflows/workflow.ts';
import type { DocumentEnd } from './slice-rows.ts';

/** What the local tier says of each entry of a slice; undefined: it passes this one on. */
export interface LocalAnswers {
  readonly ends: readonly (DocumentEnd | undefined)[];
  /** Documents that it looked at. */
  readonly calls: number;
}

/** Lets the free model answer what it is sure of, for a whole slice at once. */
export async function answerLocally(
  local: LocalModel,
  slice: SliceRun,
  workflow: WorkflowSpec,
  tier: Tier,
  entries: readonly SliceEntry[],
  options: { readonly isLast: boolean; readonly monotonic: () => number },
): Promise<LocalAnswers> {
  const texts = entries.flatMap((entry, index) =>
    entry.kind === 'document' && entry.sameAs === undefined ? [{ index, text: entry.document.text }] : [],
  );
  const ends: (DocumentEnd | undefined)[] = entries.map(() => undefined);
  if (texts.length === 0) return { ends, calls: 0 };
  if (workflow.task === 'summarize') {
    for (const { index, text } of texts) {
      const startedAt = options.monotonic();
      const summary = await local.extract(text, { maxWords: workflow.summary.maxWords }, slice.stopping);
      const localMs = options.monotonic() - startedAt;
      if (summary !== '') {
        ends[index] = answered({ summary, kind: 'extract' }, localMs);
      } else if (options.isLast) {
        ends[index] = failed('empty_document', 'The document has no words to extract a summary from.');
      }
    }
    return { ends, calls: texts.length };
  }
  const startedAt = options.monotonic();
  const answers = await local.classify(
    workflow,
    texts.map(({ text }) => text),
    slice.stopping,
  );
  const localMs = (options.monotonic() - startedAt) / texts.length;
  for (const [position, answer] of answers.entries()) {
    const index = texts[position]?.index ?? 0;
    const sure = tier.acceptAt === undefined || (answer.confidence >= tier.acceptAt && answer.familiar);
    if (sure) ends[index] = answered({ label: answer.label, confidence: round(answer.confidence) }, localMs);
    else if (options.isLast) ends[index] = lowConfidence(answer.confidence, tier.acceptAt ?? 1, answer.reason);
    else slice.reject(answer.familiar ? 'low_confidence' : (answer.reason ?? 'unfamiliar'));
  }
  return { ends, calls: texts.length };
}

function answered(
  result: { summary: string; kind: 'extract' } | { label: string; confidence: number },
  localMs: number,
): DocumentEnd {
  return { kind: 'answered', answer: { result, tier: 0, model: LOCAL_MODEL_NAME }, localMs };
}

function lowConfidence(confidence: number, acceptAt: number, reason: string | undefined): DocumentEnd {
  const why = reason === undefined ? '' : ` (${reason})`;
  return failed(
    'low_confidence',
    `The local model's confidence ${confidence.toFixed(3)} is under acceptAt ${acceptAt}${why}. ` +
      'Add examples, lower acceptAt, or add a paid tier to the cascade.',
  );
}

function failed(code: string, message: string): DocumentEnd {
  return { kind: 'error', status: 'failed', code, message };
}

/** The error of a document that only the local model could have answered. */
export function noPaidTier(): CallFailedError {
  return new CallFailedError('no_tier_left', 'The cascade has no tier after the local model.');
}
