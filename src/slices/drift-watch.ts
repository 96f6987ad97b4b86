import type { SliceEntry } from '../batches/slice-entry.ts';
import { afterSamples, DRIFT_ALARM, DRIFT_BEGINNING, type DriftState } from '../calibration/drift.ts';
import { changeEvidence, type EvidenceBook, readEvidence } from '../calibration/evidence-book.ts';
import { AUDITED, type TierAttempt } from '../cascades/attempt-log.ts';
import type { CascadeStage } from '../cascades/cascade-stages.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { CalibrationRef, WorkflowSpec } from '../workflows/workflow.ts';
import { isAudited } from './audit-sample.ts';
import type { DocumentEnd } from './slice-rows.ts';

export interface DriftContext {
  readonly evidence: EvidenceBook;
  readonly clock: Clock;
  readonly log: Log;
  /** Tells people; see `Notice`. */
  readonly notify: (notice: {
    readonly event: 'cascade:drifted' | 'candidate:stopped';
    readonly subject: string;
    readonly message: string;
    readonly details: Readonly<Record<string, string | number>>;
    readonly key: string;
  }) => Promise<void>;
}

/** Audited documents, and those of them whose earlier tier said otherwise than the last one. */
export interface AuditCounts {
  readonly samples: number;
  readonly errors: number;
}

/** The promise that is watched; undefined: nothing is promised, or nothing but the last tier answers. */
function promiseOf({ calibration, cascade }: WorkflowSpec): CalibrationRef | undefined {
  if (calibration === undefined || calibration.fallback !== undefined || cascade.length < 2) return undefined;
  return calibration.metric === 'agreement' ? calibration : undefined;
}

function recordName({ name }: WorkflowSpec, { sha256 }: CalibrationRef): string {
  return `drift:${name}:${sha256.slice(0, 16)}`;
}

/** Whether the audit has raised the alarm for this calibration: then only the last tier is asked, until there is another one. */
export async function hasDrifted(book: EvidenceBook, workflow: WorkflowSpec): Promise<boolean> {
  return (await driftState(book, workflow))?.alarmAt !== undefined;
}

/** What the audit says since the calibration; undefined: nothing is promised. */
export async function driftState(book: EvidenceBook, workflow: WorkflowSpec): Promise<DriftState | undefined> {
  const promise = promiseOf(workflow);
  if (promise === undefined) return undefined;
  return (await readEvidence<DriftState>(book, recordName(workflow, promise))) ?? DRIFT_BEGINNING;
}

/** The last tier alone. */
export function strongestAlone(stages: readonly CascadeStage[]): readonly CascadeStage[] {
  const last = stages.at(-1);
  if (last === undefined || last.kind === 'local') return last === undefined ? [] : [last];
  return [{ ...last, tiers: last.tiers.slice(-1) }];
}

/**
 * What the audited documents of a slice say. Each of them is a sample, also one that no earlier tier has answered: the promise is of
 * all documents. Documents in parts have no label at a tier, and say nothing.
 */
export function countAudits(
  workflow: WorkflowSpec,
  entries: readonly SliceEntry[],
  ends: readonly DocumentEnd[],
  attempts: readonly (readonly TierAttempt[])[],
): AuditCounts {
  let samples = 0;
  let errors = 0;
  for (const [index, entry] of entries.entries()) {
    const end = ends[index];
    const tried = attempts[index] ?? [];
    if (entry.kind !== 'document' || end?.kind !== 'answered' || !('label' in end.answer.result)) continue;
    if (end.isCandidate === true || tried.length === 0 || !isAudited(workflow, entry.document.id)) continue;
    const audited = tried.find(({ reason }) => reason === AUDITED);
    const start = end.route?.tier ?? 0;
    if (audited !== undefined && audited.tier < start) {
      // It was asked for the audit of the route: the document itself began later, at the last tier without an error.
      if (start === workflow.cascade.length - 1) samples += 1;
      continue;
    }
    if (audited !== undefined && (audited.label === undefined || audited.tier === end.answer.tier)) continue;
    samples += 1;
    if (audited !== undefined && audited.label !== end.answer.result.label) errors += 1;
  }
  return { samples, errors };
}

/** Adds a committed slice's audit to the test of the workflow's promise, and tells people where that raises the alarm. */
export async function noteAudits(context: DriftContext, workflow: WorkflowSpec, seen: AuditCounts): Promise<void> {
  const promise = promiseOf(workflow);
  if (promise === undefined || seen.samples === 0) return;
  const now = context.clock.now();
  const changed = await changeEvidence<DriftState>(context.evidence, recordName(workflow, promise), (before) =>
    afterSamples(before ?? DRIFT_BEGINNING, seen, 1 - promise.target, now),
  );
  if (changed?.after.alarmAt === undefined || changed.before?.alarmAt !== undefined) return;
  const { samples, errors } = changed.after;
  context.log.warn('cascade:drifted', { workflow: workflow.name, audited: samples, disagreements: errors });
  const last = workflow.cascade.at(-1)?.model.name ?? '';
  await context.notify({
    event: 'cascade:drifted',
    subject: workflow.name,
    message:
      `The cascade of ${workflow.name} no longer keeps its promise: of late too many audited answers are not those of ${last} ` +
      `(${errors} of ${samples} since its calibration, ${percent(1 - promise.target)} promised). From now on ${last} answers everything. Calibrate again: ` +
      `nightmill calibrate -w ${workflow.name} --rows results.jsonl`,
    details: { workflow: workflow.name, audited: samples, disagreements: errors, falseAlarm: DRIFT_ALARM },
    key: recordName(workflow, promise),
  });
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}
