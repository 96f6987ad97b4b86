import type { BatchRegistry } from '../batches/batch-registry.ts';
import type { BatchSubmission } from '../batches/batch-submission.ts';
import { readSlice } from '../batches/read-slice.ts';
import type { SliceEntry } from '../batches/slice-entry.ts';
import type { AnswerCache } from '../calls/answer-cache.ts';
import type { CallModelContext } from '../calls/call-context.ts';
import { SliceRun } from '../calls/slice-run.ts';
import { CallFailedError, DocumentEndedError, StopError, type StopReason } from '../calls/stop.ts';
import type { PaidTiers } from '../cascades/ask-cascade.ts';
import type { LocalModel } from '../local-model/local-model.ts';
import { DocumentRedactors } from '../redaction/document-redactors.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { classifyDocument, type DocumentResult } from '../tasks/classify/classify-document.ts';
import { splitOnOverflow } from '../tasks/long-documents/split-on-overflow.ts';
import { summarizeDocument } from '../tasks/summarize/summarize-document.ts';
import { LOCAL_MODEL_NAME, modelsOfTier } from '../workflows/workflow.ts';
import { answersFromOtherSlices, type DuplicateEnd } from './answer-duplicates.ts';
import { commitSlice, type SliceWork } from './commit-slice.ts';
import { answerLocally, type LocalAnswers, noPaidTier } from './local-tier.ts';
import type { DocumentEnd } from './slice-rows.ts';

export interface ProcessSliceContext extends CallModelContext {
  readonly store: ObjectStore;
  readonly batches: BatchRegistry;
  readonly local: LocalModel;
  /** For workflows that ask for it. */
  readonly answers: AnswerCache;
  /** Providers that this worker's config declares to run locally: private documents go nowhere else. */
  readonly localProviders: ReadonlySet<string>;
  /** Slices in hand, so that a pause or a shutdown reaches them. */
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
  });
  context.runs.add(run);
  context.onTaken?.(run);
  try {
    const work = await answerDocuments(context, run, submission, entries);
    run.throwIfStopped();
    const slicesLeft = await commitSlice(context, run, entries, work);
    context.log.info('slice:committed', {
      batch: job.batch,
      slice: job.slice,
      documents: entries.length,
      durationMs: Math.round(context.clock.monotonic() - startedAt),
    });
    return { kind: 'committed', slicesLeft };
  } catch (error) {
    if (!(error instanceof StopError)) throw error;
    context.log.info('slice:stopped', { batch: job.batch, slice: job.slice, reason: error.reason.kind });
    return { kind: 'stopped', reason: error.reason };
  } finally {
    context.runs.delete(run);
  }
}

async function answerDocuments(
  context: ProcessSliceContext,
  run: SliceRun,
  submission: BatchSubmission,
  entries: readonly SliceEntry[],
): Promise<SliceWork> {
  const { workflow } = submission;
  const [first] = workflow.cascade;
  const paid: PaidTiers = workflow.cascade
    .map((tier, index) => ({ index, tier }))
    .filter(({ tier }) => tier.model.name !== LOCAL_MODEL_NAME);
  const local: LocalAnswers =
    first?.model.name === LOCAL_MODEL_NAME && run.ending === undefined
      ? await runLocalTier(context, run, submission, entries, paid.length === 0)
      : { ends: [], calls: 0 };
  const progress = trackProgress(context, run, local.ends.filter((end) => end !== undefined).length);
  const others = answersFromOtherSlices(context, run, entries);
  const answers: Promise<DocumentEnd>[] = [];
  for (const [index, entry] of entries.entries()) {
    answers.push(
      (async () => {
        const known = local.ends[index];
        if (known !== undefined) return known;
        const end =
          (await takeOver(run, entry, index, answers, others)) ??
          (await answerDocument(context, run, submission, paid, entry, index));
        progress.finished(1);
        return end;
      })(),
    );
  }
  const settled = await Promise.allSettled(answers);
  // Every document has come to rest, so all calls are settled: now the slice may stop.
  progress.end();
  const ends: DocumentEnd[] = [];
  for (const result of settled) {
    if (result.status === 'fulfilled') ends.push(result.value);
    else if (!(result.reason instanceof StopError)) throw result.reason;
  }
  run.throwIfStopped();
  return { ends, others: await others, localCalls: local.calls };
}

/** The end of the first document with the same text, for one that stands in the batch again. */
async function takeOver(
  run: SliceRun,
  entry: SliceEntry,
  index: number,
  answers: readonly Promise<DocumentEnd>[],
  others: Promise<ReadonlyMap<number, DuplicateEnd>>,
): Promise<DocumentEnd | undefined> {
  if (entry.kind !== 'document' || entry.sameAs === undefined) return undefined;
  // The first one always stands before, so waiting for it ends.
  const end =
    entry.sameAs.slice === run.claim.slice ? await answers[entry.sameAs.position] : (await others).get(index)?.end;
  return end?.kind === 'answered' ? { kind: 'answered', answer: end.answer } : end;
}

async function runLocalTier(
  context: ProcessSliceContext,
  run: SliceRun,
  { workflow }: BatchSubmission,
  entries: readonly SliceEntry[],
  isLast: boolean,
): Promise<LocalAnswers> {
  const tier = workflow.cascade[0];
  if (tier === undefined) throw new RangeError('A cascade needs at least one tier');
  try {
    return await answerLocally(context.local, run, workflow, tier, entries, {
      isLast,
      monotonic: () => context.clock.monotonic(),
    });
  } catch (error) {
    run.throwIfStopped();
    throw error;
  }
}

async function answerDocument(
  context: ProcessSliceContext,
  run: SliceRun,
  { workflow }: BatchSubmission,
  tiers: PaidTiers,
  entry: SliceEntry,
  index: number,
): Promise<DocumentEnd> {
  if (entry.kind === 'skipped') {
    return { kind: 'error', status: 'skipped', code: entry.skipped.code, message: entry.skipped.message };
  }
  const redactors = new DocumentRedactors(entry.document.text);
  try {
    if (tiers.length === 0) throw run.ending === undefined ? noPaidTier() : new DocumentEndedError(run.ending);
    if (workflow.private === true) checkIsLocal(tiers, context.localProviders);
    const models = workflow.cache === true ? { ...context, cache: context.answers } : context;
    const document = { text: entry.document.text, tokens: entry.tokens };
    const answer: DocumentResult = await splitOnOverflow((windowShare) => {
      const cascade = { models, slice: run, document: index, tiers, redactors, windowShare };
      return workflow.task === 'classify'
        ? classifyDocument(cascade, workflow, document)
        : summarizeDocument(cascade, workflow, document);
    });
    return { kind: 'answered', answer };
  } catch (error) {
    if (error instanceof DocumentEndedError) {
      return { kind: 'error', status: error.status, code: error.status, message: `${error.message}.` };
    }
    if (error instanceof CallFailedError) {
      return { kind: 'error', status: 'failed', code: error.code, message: error.message };
    }
    // Stopped, or unexpected: either way the other documents begin no new calls.
    run.stop(error instanceof StopError ? error.reason : { kind: 'shutdown' });
    throw error;
  } finally {
    run.hid(redactors.counts());
  }
}

/** The config was checked when the batch was submitted; this worker's may say something else of the same provider. */
function checkIsLocal(tiers: PaidTiers, local: ReadonlySet<string>): void {
  const models = tiers.flatMap(({ tier }) => modelsOfTier(tier));
  const other = models.find(({ provider }) => !local.has(provider))?.provider;
  if (other === undefined) return;
  throw new CallFailedError(
    'provider_not_local',
    `The workflow is private, and this worker's config does not declare the provider ${JSON.stringify(other)} local ` +
      '(dataPolicy: { location: local }), so the document was not sent.',
  );
}

function trackProgress(context: ProcessSliceContext, run: SliceRun, alreadyDone: number) {
  let done = alreadyDone;
  let reported = 0;
  const report = async () => {
    if (done === reported) return;
    reported = done;
    await context.batches.reportProgress(run.claim.batchId, run.claim.slice, run.claim.token, done);
  };
  // Progress is a courtesy: if Redis is away, the next admission says so.
  const timer = setInterval(() => void report().catch(() => {}), PROGRESS_EVERY_MS);
  return {
    finished: (documents: number) => {
      done += documents;
    },
    end: () => clearInterval(timer),
  };
}
