import type { BatchRegistry } from '../batches/batch-registry.ts';
import type { BatchSubmission } from '../batches/batch-submission.ts';
import { readSlice } from '../batches/read-slice.ts';
import type { SliceEntry } from '../batches/slice-entry.ts';
import { NOTHING_COMPARED } from '../calibration/candidate-test.ts';
import { DocumentBudget } from '../calls/document-budget.ts';
import { SliceRun } from '../calls/slice-run.ts';
import { StopError, type StopReason } from '../calls/stop.ts';
import { AttemptLog, type TierAttempt } from '../cascades/attempt-log.ts';
import { type CascadeStage, cascadeStages } from '../cascades/cascade-stages.ts';
import type { JournalEntry } from '../ledger/journal-entry.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { WorkflowSpec } from '../workflows/workflow.ts';
import { type AnswerDocumentContext, answerDocument, routed, withAttempts } from './answer-document.ts';
import { answersOfEarlierSlices, type DuplicateEnd } from './answer-duplicates.ts';
import { CandidateRun, noteCompared } from './candidate.ts';
import { commitSlice, type SliceWork } from './commit-slice.ts';
import { earlierEnd } from './committed-ends.ts';
import { countAudits, type DriftContext, hasDrifted, noteAudits, strongestAlone } from './drift-watch.ts';
import { answerLocally, type LocalCalls } from './local-tier.ts';
import { countRoutes, Router } from './router.ts';
import type { DocumentEnd } from './slice-rows.ts';

export interface ProcessSliceContext extends AnswerDocumentContext, DriftContext {
  readonly store: ObjectStore;
  readonly batches: BatchRegistry;
  /** Slices in progress, so that a pause or a shutdown reaches them. */
  readonly runs: Set<SliceRun>;
  /** Told of each slice before its first call, so that one taken during a shutdown stops like the others. */
  readonly onTaken?: (run: SliceRun) => void;
  readonly submission: (batchId: string) => Promise<BatchSubmission>;
}

export type SliceResult =
  | { readonly kind: 'committed'; readonly slicesLeft: number }
  /** Nothing to do: committed before, or the batch takes no more work. */
  | { readonly kind: 'done' }
  | { readonly kind: 'stopped'; readonly reason: StopReason };

const PROGRESS_EVERY_MS = 500;

/**
 * Answers the documents of one slice and commits their rows, once. Whoever processes a slice takes it from whoever
 * had it; paid replies of the former owner are used, not bought again. Nothing of the slice is visible before the
 * commit, and a slice that stops half way leaves its paid replies in the journal.
 */
export async function processSlice(
  context: ProcessSliceContext,
  job: { readonly batch: string; readonly slice: number; readonly turn?: number },
  ending?: 'cancelled' | 'expired',
): Promise<SliceResult> {
  const startedAt = context.clock.monotonic();
  const claimed = await context.batches.claimSlice(job.batch, job.slice);
  if (claimed.kind !== 'owned') return { kind: 'done' };
  const submission = await context.submission(job.batch);
  const [entries, journal] = await Promise.all([
    readSlice(context.store, job.batch, job.slice),
    context.ledger.journal(job.batch, job.slice),
  ]);
  const claim = {
    batchId: job.batch,
    workflow: submission.workflow.name,
    ...(submission.tenant === undefined ? {} : { tenant: submission.tenant }),
    slice: job.slice,
    token: claimed.token,
    timezones: submission.timezones,
  };
  const run = new SliceRun(claim, journal, {
    turn: job.turn ?? 0,
    ...(ending === undefined ? {} : { ending }),
    ...(submission.workflow.drainAt === undefined ? {} : { drainAt: submission.workflow.drainAt }),
    ...(await documentBudgetOf(context, submission, job, journal)),
  });
  const told = (outcome: string, documents?: Readonly<Record<string, number>>) =>
    context.meter?.sliceEnded({
      ...{ batch: job.batch, slice: job.slice, workflow: claim.workflow, tenant: submission.tenant, outcome },
      ...(documents === undefined ? {} : { documents }),
      durationMs: context.clock.monotonic() - startedAt,
    });
  context.meter?.sliceTaken?.({ batch: job.batch, slice: job.slice, traceparent: submission.traceparent });
  context.runs.add(run);
  context.onTaken?.(run);
  try {
    const work = await answerDocuments(context, run, submission, entries);
    run.throwIfStopped();
    const { slicesLeft, outcomes } = await commitSlice(context, run, entries, work);
    await noteAudits(context, submission.workflow, work.audits);
    await noteCompared(context, submission.workflow, work.compared);
    context.log.info('slice:committed', {
      batch: job.batch,
      slice: job.slice,
      documents: entries.length,
      durationMs: Math.round(context.clock.monotonic() - startedAt),
    });
    told('committed', outcomes);
    return { kind: 'committed', slicesLeft };
  } catch (error) {
    if (!(error instanceof StopError)) throw error;
    context.log.info('slice:stopped', { batch: job.batch, slice: job.slice, reason: error.reason.kind });
    told(error.reason.kind);
    return { kind: 'stopped', reason: error.reason };
  } finally {
    context.runs.delete(run);
  }
}

/** A slice that is taken over has documents that have cost something already. */
async function documentBudgetOf(
  { ledger }: ProcessSliceContext,
  { workflow }: BatchSubmission,
  { batch, slice }: { readonly batch: string; readonly slice: number },
  journal: ReadonlyMap<string, JournalEntry>,
): Promise<{ readonly documentBudget?: DocumentBudget }> {
  if (workflow.documentLimit === undefined) return {};
  const uncertain = (await ledger.uncertainCalls(batch)).filter((call) => call.slice === slice);
  return { documentBudget: new DocumentBudget(workflow.documentLimit, [...journal.values(), ...uncertain]) };
}

async function answerDocuments(
  context: ProcessSliceContext,
  run: SliceRun,
  submission: BatchSubmission,
  entries: readonly SliceEntry[],
): Promise<SliceWork> {
  const { workflow } = submission;
  const drifted = await hasDrifted(context.evidence, workflow);
  const whole = cascadeStages(workflow.cascade);
  const all = drifted ? strongestAlone(whole) : whole;
  const [first] = all;
  const localCalls: LocalCalls = new Map();
  const logs = entries.map(() => new AttemptLog());
  // Where only the last tier is left there is no choice. A batch that ends finds what it has paid for where it was asked.
  const hasNothing = run.ending !== undefined && run.journal.size === 0;
  const router =
    drifted || workflow.route === undefined || hasNothing
      ? undefined
      : await unlessStopped(run, () => Router.open(context, run, workflow, entries, localCalls));
  const isLocalFirst = first?.kind === 'local' && router?.asks !== true;
  const local =
    isLocalFirst && run.ending === undefined
      ? await runLocalTier(context, run, workflow, first, entries, { localCalls, logs, router })
      : [];
  const stages = isLocalFirst ? all.slice(1) : all;
  const candidate = await CandidateRun.open(context, run, workflow);
  const answered = local.flatMap((end, position) => (end === undefined ? [] : [position]));
  const progress = trackProgress(context, run, new Set(answered));
  const others = answersOfEarlierSlices(context, run, entries);
  const answers: Promise<DocumentEnd>[] = [];
  for (const [index, entry] of entries.entries()) {
    const own = async () => {
      const attempts = logs[index] ?? new AttemptLog();
      const known = local[index];
      if (known !== undefined) return routed(router?.knownOf(index), withAttempts({ workflow, attempts }, known));
      const reused = isRepeated(entry) ? await reuseAnswer(run, entry, index, answers, others) : undefined;
      const end =
        reused ??
        (await answerDocument(context, {
          ...{ run, workflow, stages, entry, position: index, localCalls, attempts },
          ...(router === undefined ? {} : { router }),
        }));
      progress.finished(index);
      return end;
    };
    const isCompared = candidate?.takes(entry, run) === true;
    answers.push(isCompared ? candidate.answer({ run, entry, position: index, localCalls }, own()) : own());
  }
  const settled = await Promise.allSettled(answers);
  // Every document has settled, so all calls are settled: now the slice may stop.
  progress.end();
  const ends: DocumentEnd[] = [];
  for (const result of settled) {
    if (result.status === 'fulfilled') ends.push(result.value);
    else if (!(result.reason instanceof StopError)) throw result.reason;
  }
  run.throwIfStopped();
  const attempts = logs.map((log) => log.attempts);
  const audits = drifted ? { samples: 0, errors: 0 } : countAudits(workflow, entries, ends, attempts);
  const compared = candidate?.counts ?? NOTHING_COMPARED;
  const routes = countRoutes(ends, attempts);
  return { ends, others: await others, localCalls, audits, compared, routes, fallbacks: drifted ? ends.length : 0 };
}

function isRepeated(entry: SliceEntry): boolean {
  return entry.kind === 'document' && (entry.answered !== undefined || entry.duplicateOf !== undefined);
}

/** The end of the first document with the same text, for one that stands in the batch again or in an earlier one. */
async function reuseAnswer(
  run: SliceRun,
  entry: SliceEntry,
  index: number,
  answers: readonly Promise<DocumentEnd>[],
  others: Promise<ReadonlyMap<number, DuplicateEnd>>,
): Promise<DocumentEnd | undefined> {
  if (entry.kind !== 'document') return undefined;
  if (entry.answered !== undefined) return earlierEnd(entry.answered).end;
  if (entry.duplicateOf === undefined) return undefined;
  // The first one always stands before, so waiting for it ends.
  const end =
    entry.duplicateOf.slice === run.claim.slice
      ? await answers[entry.duplicateOf.position]
      : (await others).get(index)?.end;
  if (end?.kind !== 'answered') return end;
  const { localMs: _, route: __, ...taken } = end;
  return taken;
}

/** What fails because the slice stops says why it stops. */
async function unlessStopped<T>(run: SliceRun, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    run.throwIfStopped();
    throw error;
  }
}

interface LocalTierOptions {
  readonly localCalls: LocalCalls;
  readonly logs: readonly AttemptLog[];
  readonly router: Router | undefined;
}

/** The local model at the head of a cascade sees the whole slice at once. */
async function runLocalTier(
  context: ProcessSliceContext,
  run: SliceRun,
  workflow: WorkflowSpec,
  stage: CascadeStage & { readonly kind: 'local' },
  entries: readonly SliceEntry[],
  { localCalls, logs, router }: LocalTierOptions,
): Promise<readonly (DocumentEnd | undefined)[]> {
  const options = {
    localCalls,
    monotonic: () => context.clock.monotonic(),
    note: (index: number, attempt: TierAttempt) => logs[index]?.note(attempt),
    passesBy: (index: number) => router?.passesBy(index) === true,
  };
  return await unlessStopped(run, () => answerLocally(context.local, run, workflow, stage, entries, options));
}

/** @param done positions of the documents that are finished; grows */
function trackProgress(context: ProcessSliceContext, run: SliceRun, done: Set<number>) {
  const { batchId, slice, token } = run.claim;
  let reported = { documents: 0, begun: 0 };
  const report = () => {
    const documents = done.size;
    const begun = [...run.journal.values()].reduce(
      (sum, { document, cost }) => sum + (done.has(document) ? 0 : cost),
      0,
    );
    if (documents === reported.documents && begun === reported.begun) return;
    reported = { documents, begun };
    // Progress is a courtesy: if Redis is away, the next admission says so.
    context.batches.reportProgress(batchId, slice, token, reported).catch(() => {});
  };
  const timer = setInterval(report, PROGRESS_EVERY_MS);
  return {
    finished: (position: number) => done.add(position),
    end: () => {
      clearInterval(timer);
      // Nobody may take the slice for a long time, and what it has done and spent is looked at meanwhile.
      if (run.reason !== undefined) report();
    },
  };
}
