import type { SliceEntry } from '../batches/slice-entry.ts';
import type { SliceRun } from '../calls/slice-run.ts';
import { CallFailedError } from '../calls/stop.ts';
import type { CascadeStage } from '../cascades/cascade-stages.ts';
import type { LocalModel } from '../local-model/local-model.ts';
import { round } from '../tasks/classify/classify-document.ts';
import { LOCAL_MODEL_NAME, type WorkflowSpec } from '../workflows/workflow.ts';
import type { DocumentEnd } from './slice-rows.ts';

/** Documents that the local model looked at, by the index of its tier. */
export type LocalCalls = Map<number, number>;

/**
 * Lets the free model answer what it is sure of, any number of documents at once.
 *
 * @returns the end of each entry; undefined: it passes this one on
 */
export async function answerLocally(
  local: LocalModel,
  slice: SliceRun,
  workflow: WorkflowSpec,
  { index: tierIndex, tier, isLast }: CascadeStage & { readonly kind: 'local' },
  entries: readonly SliceEntry[],
  options: { readonly localCalls: LocalCalls; readonly monotonic: () => number },
): Promise<readonly (DocumentEnd | undefined)[]> {
  const texts = entries.flatMap((entry, index) =>
    entry.kind === 'document' && entry.sameAs === undefined ? [{ index, text: entry.document.text }] : [],
  );
  const ends: (DocumentEnd | undefined)[] = entries.map(() => undefined);
  if (texts.length === 0) return ends;
  options.localCalls.set(tierIndex, (options.localCalls.get(tierIndex) ?? 0) + texts.length);
  if (workflow.task === 'summarize') {
    for (const { index, text } of texts) {
      const startedAt = options.monotonic();
      const summary = await local.extract(text, { maxWords: workflow.summary.maxWords }, slice.stopping);
      const localMs = options.monotonic() - startedAt;
      if (summary !== '') {
        ends[index] = answered({ summary, kind: 'extract' }, tierIndex, localMs);
      } else if (isLast) {
        ends[index] = failed('empty_document', 'The document has no words to extract a summary from.');
      }
    }
    return ends;
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
    if (sure) ends[index] = answered({ label: answer.label, confidence: round(answer.confidence) }, tierIndex, localMs);
    else if (isLast) ends[index] = lowConfidence(answer.confidence, tier.acceptAt ?? 1, answer.reason);
    else slice.reject(answer.familiar ? 'low_confidence' : (answer.reason ?? 'unfamiliar'));
  }
  return ends;
}

function answered(
  result: { summary: string; kind: 'extract' } | { label: string; confidence: number },
  tier: number,
  localMs: number,
): DocumentEnd {
  return { kind: 'answered', answer: { result, tier, model: LOCAL_MODEL_NAME }, localMs };
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
