import type { SliceEntry } from '../batches/slice-entry.ts';
import type { SliceRun } from '../calls/slice-run.ts';
import { CallFailedError } from '../calls/stop.ts';
import { ACCEPTED, AUDITED, type TierAttempt } from '../cascades/attempt-log.ts';
import type { CascadeStage } from '../cascades/cascade-stages.ts';
import type { LocalModel } from '../local-model/local-model.ts';
import { taskOf } from '../tasks/tasks.ts';
import { LOCAL_MODEL_NAME, type WorkflowSpec } from '../workflows/workflow.ts';
import { isAudited } from './audit-sample.ts';
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
  options: {
    readonly localCalls: LocalCalls;
    /** Whether the document of an entry begins at a later tier. Absent: none does. */
    readonly passesBy?: (index: number) => boolean;
    readonly monotonic: () => number;
    /** Told how it ended for the document of an entry. */
    readonly note: (index: number, attempt: TierAttempt) => void;
  },
): Promise<readonly (DocumentEnd | undefined)[]> {
  const texts = entries.flatMap((entry, index) =>
    entry.kind === 'document' &&
    entry.duplicateOf === undefined &&
    entry.answered === undefined &&
    options.passesBy?.(index) !== true
      ? [{ index, text: entry.document.text }]
      : [],
  );
  const ends: (DocumentEnd | undefined)[] = entries.map(() => undefined);
  if (texts.length === 0) return ends;
  slice.begin();
  options.localCalls.set(tierIndex, (options.localCalls.get(tierIndex) ?? 0) + texts.length);
  const outcomes = await taskOf(workflow).answerLocally(
    { local, tier, signal: slice.stopping, monotonic: options.monotonic },
    workflow,
    texts.map(({ text }) => text),
  );
  for (const [position, outcome] of outcomes.entries()) {
    const index = texts[position]?.index ?? 0;
    const said = outcome.kind === 'unsure' ? outcome.said : 'label' in outcome.result ? outcome.result : undefined;
    const entry = entries[index];
    const isSampled =
      outcome.kind === 'answered' && !isLast && entry?.kind === 'document' && isAudited(workflow, entry.document.id);
    options.note(index, {
      tier: tierIndex,
      model: LOCAL_MODEL_NAME,
      ...(said === undefined ? {} : { label: said.label }),
      ...(said?.confidence === undefined ? {} : { confidence: said.confidence }),
      reason: isSampled ? AUDITED : outcome.kind === 'answered' ? ACCEPTED : (outcome.rejection ?? outcome.code),
    });
    if (isSampled) slice.countRejection(AUDITED);
    else if (outcome.kind === 'answered') {
      const answer = { result: outcome.result, tier: tierIndex, model: LOCAL_MODEL_NAME };
      const { localMs, warnings } = outcome;
      ends[index] = { kind: 'answered', answer, localMs, ...(warnings === undefined ? {} : { warnings }) };
    } else if (isLast) ends[index] = failed(outcome.code, outcome.message);
    else if (outcome.rejection !== undefined) slice.countRejection(outcome.rejection);
  }
  return ends;
}

function failed(code: string, message: string): DocumentEnd {
  return { kind: 'error', status: 'failed', code, message };
}

/** The error of a document that only the local model could have answered. */
export function noPaidTier(): CallFailedError {
  return new CallFailedError('no_tier_left', 'The cascade has no tier after the local model.');
}
