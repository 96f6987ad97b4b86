import { createHash } from 'node:crypto';
import type { SliceEntry } from '../batches/slice-entry.ts';
import { addCompared, type CandidateCounts, isWorse, NOTHING_COMPARED } from '../calibration/candidate-test.ts';
import { changeEvidence, type EvidenceBook, readEvidence } from '../calibration/evidence-book.ts';
import type { SliceRun } from '../calls/slice-run.ts';
import { AttemptLog } from '../cascades/attempt-log.ts';
import { type CascadeStage, cascadeStages } from '../cascades/cascade-stages.ts';
import type { CandidateSpec, WorkflowSpec } from '../workflows/workflow.ts';
import { type AnswerDocumentContext, answerDocument, type DocumentWork } from './answer-document.ts';
import { isTried } from './audit-sample.ts';
import { type DriftContext, strongestAlone } from './drift-watch.ts';
import type { DocumentEnd } from './slice-rows.ts';

/** What the cluster knows of a candidate. */
export interface CandidateState extends CandidateCounts {
  /** When it was found to be worse, milliseconds since the epoch; it is not asked any more. Absent: it continues. */
  readonly stoppedAt?: number;
}

/** What is compared; its share and mode may change without starting over. */
function recordName({ name }: WorkflowSpec, { cascade, instructions, margin }: CandidateSpec): string {
  const what = createHash('sha256').update(JSON.stringify([cascade, instructions, margin]));
  return `candidate:${name}:${what.digest('hex').slice(0, 16)}`;
}

export async function candidateState(book: EvidenceBook, workflow: WorkflowSpec): Promise<CandidateState | undefined> {
  if (workflow.candidate === undefined) return undefined;
  return (await readEvidence<CandidateState>(book, recordName(workflow, workflow.candidate))) ?? NOTHING_COMPARED;
}

/** The candidate of a slice's workflow at work beside it. */
export class CandidateRun {
  readonly #context: AnswerDocumentContext;
  readonly #workflow: WorkflowSpec;
  readonly #candidate: CandidateSpec;
  readonly #stages: readonly CascadeStage[];
  #counts = NOTHING_COMPARED;

  private constructor(context: AnswerDocumentContext, workflow: WorkflowSpec, candidate: CandidateSpec) {
    this.#context = context;
    this.#workflow = workflow;
    this.#candidate = candidate;
    this.#stages = afterTiers(workflow.cascade.length, cascadeStages(candidate.cascade));
  }

  /** Undefined: there is none, it was stopped, or the slice only writes down what is left over. */
  static async open(
    context: AnswerDocumentContext & Pick<DriftContext, 'evidence'>,
    run: SliceRun,
    workflow: WorkflowSpec,
  ): Promise<CandidateRun | undefined> {
    const { candidate } = workflow;
    if (candidate === undefined || run.ending !== undefined) return undefined;
    const state = await candidateState(context.evidence, workflow);
    return state?.stoppedAt === undefined ? new CandidateRun(context, workflow, candidate) : undefined;
  }

  get counts(): CandidateCounts {
    return this.#counts;
  }

  takes(entry: SliceEntry, run: SliceRun): boolean {
    if (entry.kind !== 'document' || entry.duplicateOf !== undefined || entry.answered !== undefined) return false;
    return !run.draining && isTried(this.#workflow, this.#candidate, entry.document.id);
  }

  /**
   * Asks both; where they differ, the last tier of what is in force says who is right.
   *
   * @param ours the answer of what is in force
   * @returns the end of the document: ours, or with `split` the candidate's, where it has one
   */
  async answer(
    work: Omit<DocumentWork, 'workflow' | 'stages' | 'attempts'>,
    ours: Promise<DocumentEnd>,
  ): Promise<DocumentEnd> {
    const { instructions, cascade } = this.#candidate;
    const { candidate: _, audit: __, calibration: ___, route: ____, ...base } = this.#workflow;
    const workflow = { ...base, cascade, ...(instructions === undefined ? {} : { instructions }) };
    // What a document may cost is there for what is in force first.
    if (base.documentLimit !== undefined) await Promise.allSettled([ours]);
    const attempts = new AttemptLog();
    const theirs = answerDocument(this.#context, { ...work, workflow, stages: this.#stages, attempts });
    // Both settle before either's failure is told: until then calls are in flight.
    await Promise.allSettled([ours, theirs]);
    const [own, other] = [await ours, await theirs];
    // Beyond the document's limit it could not show what it can do.
    if (other.kind === 'error' && other.code === 'document_budget') return own;
    const verdict = await this.#compare(work, own, other);
    this.#counts = addCompared(this.#counts, {
      documents: 1,
      better: Number(verdict === 'better'),
      worse: Number(verdict === 'worse'),
    });
    return this.#candidate.mode === 'split' && other.kind === 'answered' ? { ...other, isCandidate: true } : own;
  }

  async #compare(
    work: Omit<DocumentWork, 'workflow' | 'stages' | 'attempts'>,
    own: DocumentEnd,
    other: DocumentEnd,
  ): Promise<'better' | 'worse' | 'same'> {
    if (own.kind === 'error' || other.kind === 'error') {
      return own.kind === other.kind ? 'same' : own.kind === 'error' ? 'better' : 'worse';
    }
    const [label, otherLabel] = [labelOf(own), labelOf(other)];
    if (label === otherLabel) return 'same';
    const strongest = this.#workflow.cascade.length - 1;
    if (own.answer.tier === strongest) return 'worse';
    const stages = strongestAlone(cascadeStages(this.#workflow.cascade));
    const attempts = new AttemptLog();
    const judge = await answerDocument(this.#context, { ...work, workflow: this.#workflow, stages, attempts });
    const right = labelOf(judge);
    return right === label ? 'worse' : right === otherLabel ? 'better' : 'same';
  }
}

/** Answers without a label are only compared by whether there is one. */
function labelOf(end: DocumentEnd): string | undefined {
  return end.kind === 'answered' && 'label' in end.answer.result ? end.answer.result.label : undefined;
}

/** Its tiers are counted after those of the workflow's own cascade. */
function afterTiers(count: number, stages: readonly CascadeStage[]): readonly CascadeStage[] {
  return stages.map((stage) =>
    stage.kind === 'local'
      ? { ...stage, index: stage.index + count }
      : { ...stage, tiers: stage.tiers.map((each) => ({ ...each, index: each.index + count })) },
  );
}

/** Adds what a committed slice has compared; stops the candidate, and says so, where it is worse. */
export async function noteCompared(
  context: DriftContext,
  workflow: WorkflowSpec,
  seen: CandidateCounts,
): Promise<void> {
  const { candidate } = workflow;
  if (candidate === undefined || seen.documents === 0) return;
  const now = context.clock.now();
  const name = recordName(workflow, candidate);
  const changed = await changeEvidence<CandidateState>(context.evidence, name, (before) => {
    const counts = addCompared(before ?? NOTHING_COMPARED, seen);
    if (before?.stoppedAt !== undefined) return { ...counts, stoppedAt: before.stoppedAt };
    return isWorse(counts, candidate.margin) ? { ...counts, stoppedAt: now } : counts;
  });
  if (changed?.after.stoppedAt === undefined || changed.before?.stoppedAt !== undefined) return;
  const { documents, better, worse } = changed.after;
  context.log.warn('candidate:stopped', { workflow: workflow.name, documents, better, worse });
  await context.notify({
    event: 'candidate:stopped',
    subject: workflow.name,
    message:
      `The candidate of ${workflow.name} is worse than what is in force, and is not asked any more: of ${documents} documents ` +
      `it was right alone in ${better} and wrong alone in ${worse}. Take it out of the config, or change it.`,
    details: { workflow: workflow.name, documents, better, worse },
    key: name,
  });
}
