import type { SliceEntry } from '../batches/slice-entry.ts';
import type { AnswerCache } from '../calls/answer-cache.ts';
import type { CallModelContext } from '../calls/call-context.ts';
import type { SliceRun } from '../calls/slice-run.ts';
import { CallFailedError, DocumentEndedError, ProvidersDownError, StopError } from '../calls/stop.ts';
import type { AttemptLog } from '../cascades/attempt-log.ts';
import type { CascadeStage, PaidTiers } from '../cascades/cascade-stages.ts';
import type { LocalModel } from '../local-model/local-model.ts';
import { DocumentRedactors } from '../redaction/document-redactors.ts';
import { MIN_CUT_TOKENS } from '../tasks/long-documents/smallest-window.ts';
import { splitOnOverflow } from '../tasks/long-documents/split-on-overflow.ts';
import { promptTag } from '../tasks/prompt-hash.ts';
import type { RowRoute } from '../tasks/result-row.ts';
import { taskOf } from '../tasks/tasks.ts';
import { keepsAttempts, modelsOfTier, type WorkflowSpec } from '../workflows/workflow.ts';
import { isAudited } from './audit-sample.ts';
import { answerLocally, type LocalCalls, noPaidTier } from './local-tier.ts';
import type { DocumentEnd } from './slice-rows.ts';

export interface AnswerDocumentContext extends CallModelContext {
  readonly local: LocalModel;
  /** For workflows that ask for it. */
  readonly answers: AnswerCache;
  /** Providers that this worker's config declares to run locally: private documents go nowhere else. */
  readonly localProviders: ReadonlySet<string>;
}

/** As `Router`, which asks through this file. */
interface DocumentRouter {
  route(index: number, redactors: DocumentRedactors): Promise<RowRoute | undefined>;
  stagesFor(stages: readonly CascadeStage[], route: RowRoute | undefined): readonly CascadeStage[];
}

/** A document in its slice, and the stages of the cascade that are left for it. */
export interface DocumentWork {
  readonly run: SliceRun;
  readonly workflow: WorkflowSpec;
  readonly stages: readonly CascadeStage[];
  readonly entry: SliceEntry;
  /** Position of the document in its slice. */
  readonly position: number;
  readonly localCalls: LocalCalls;
  /** What tiers before these stages have said of it. */
  readonly attempts: AttemptLog;
  /** Says where it begins among the stages. Absent: at the first. */
  readonly router?: DocumentRouter;
}

/**
 * Asks stage after stage until one has an answer.
 *
 * @throws {StopError} the slice stops; every other failure is the document's end
 */
export async function answerDocument(context: AnswerDocumentContext, work: DocumentWork): Promise<DocumentEnd> {
  const { run, entry, stages } = work;
  if (entry.kind === 'skipped') {
    return { kind: 'error', status: 'skipped', code: entry.skipped.code, message: entry.skipped.message };
  }
  const redactors = new DocumentRedactors(entry.document.text);
  let route: RowRoute | undefined;
  try {
    if (stages.length === 0) throw run.ending === undefined ? noPaidTier() : new DocumentEndedError(run.ending);
    route = await work.router?.route(work.position, redactors);
    const left = work.router?.stagesFor(stages, route) ?? stages;
    return routed(route, withAttempts(work, await askStages(context, { ...work, stages: left }, redactors)));
  } catch (error) {
    if (error instanceof DocumentEndedError) {
      return routed(route, { kind: 'error', status: error.status, code: error.status, message: `${error.message}.` });
    }
    if (error instanceof CallFailedError) {
      const failed = { kind: 'error', status: 'failed', code: error.code, message: error.message } as const;
      return routed(route, withAttempts(work, failed));
    }
    // Stopped, or unexpected: either way the other documents begin no new calls.
    run.stop(error instanceof StopError ? error.reason : { kind: 'shutdown' });
    throw error;
  } finally {
    run.countRedactions(redactors.counts());
  }
}

/** With where the document began. */
export function routed(route: RowRoute | undefined, end: DocumentEnd): DocumentEnd {
  return route === undefined ? end : { ...end, route };
}

/** A label that was paid for and is not sure enough is in the row of its document, whatever the workflow says. */
export function withAttempts(
  { workflow, attempts }: Pick<DocumentWork, 'workflow' | 'attempts'>,
  end: DocumentEnd,
): DocumentEnd {
  const isShown = keepsAttempts(workflow) || (end.kind === 'error' && end.code === 'low_confidence');
  const shown = isShown && attempts.attempts.length > 0 ? { attempts: attempts.attempts } : {};
  if (end.kind === 'error') return { ...end, ...shown };
  const warnings = [...attempts.warnings, ...(end.warnings ?? [])];
  return { ...end, ...shown, ...(warnings.length === 0 ? {} : { warnings }) };
}

async function askStages(
  context: AnswerDocumentContext,
  work: DocumentWork,
  redactors: DocumentRedactors,
): Promise<DocumentEnd> {
  for (const stage of work.stages) {
    if (stage.kind === 'local') {
      const end = await askLocally(context, work, stage);
      if (end !== undefined) return end;
      continue;
    }
    try {
      return await askPaid(context, work, stage, redactors);
    } catch (error) {
      if (stage.isLast || !(error instanceof CallFailedError) || error.code === 'provider_not_local') throw error;
    }
  }
  throw new RangeError('The last stage of a cascade has no answer and no error');
}

async function askLocally(
  context: AnswerDocumentContext,
  { run, workflow, entry, localCalls, attempts }: DocumentWork,
  stage: CascadeStage & { readonly kind: 'local' },
): Promise<DocumentEnd | undefined> {
  if (run.ending !== undefined) throw new DocumentEndedError(run.ending);
  // Equal documents were taken over before, where there was something to take.
  const { duplicateOf: _, ...alone } = entry.kind === 'document' ? entry : { ...entry, duplicateOf: undefined };
  const [end] = await answerLocally(context.local, run, workflow, stage, [alone], {
    localCalls,
    monotonic: () => context.clock.monotonic(),
    note: (_, attempt) => attempts.note(attempt),
  });
  return end;
}

type PaidStage = CascadeStage & { readonly kind: 'paid' };

/** Where no provider of a tier is well and the built-in model stands in, it answers as that tier; the rest continues behind it. */
async function askPaid(
  context: AnswerDocumentContext,
  work: DocumentWork,
  stage: PaidStage,
  redactors: DocumentRedactors,
): Promise<DocumentEnd> {
  try {
    return await askProviders(context, work, stage, redactors);
  } catch (error) {
    if (!(error instanceof ProvidersDownError)) throw error;
    const at = stage.tiers.findIndex(({ index }) => index === error.tier);
    const tier = stage.tiers[at];
    if (tier === undefined) throw new RangeError(`There is no tier ${error.tier} here`, { cause: error });
    const rest = stage.tiers.slice(at + 1);
    const isLast = stage.isLast && rest.length === 0;
    const { acceptAt: _, acceptAtByLabel: __, ...anything } = tier.tier;
    const standIn = { kind: 'local', index: tier.index, tier: isLast ? anything : tier.tier, isLast } as const;
    const end = await askLocally(context, work, standIn);
    if (end?.kind === 'answered') {
      return { ...end, answer: { ...end.answer, degraded: true }, standsIn: true };
    }
    if (end !== undefined) return end;
    if (rest.length > 0) return await askPaid(context, work, { ...stage, tiers: rest }, redactors);
    throw new CallFailedError('no_tier_left', `${error.message}, and the local model is not sure.`, { cause: error });
  }
}

async function askProviders(
  context: AnswerDocumentContext,
  { run, workflow, entry, position, attempts }: DocumentWork,
  stage: PaidStage,
  redactors: DocumentRedactors,
): Promise<DocumentEnd> {
  if (entry.kind === 'skipped') throw new RangeError('A skipped line is not asked');
  const { tiers, isLast } = stage;
  if (workflow.private === true) checkIsLocal(tiers, context.localProviders);
  const models = workflow.cache === true ? { ...context, cache: context.answers } : context;
  const document = { text: entry.document.text, tokens: entry.tokens };
  const answer = await splitOnOverflow((windowShare) => {
    attempts.forget(tiers.map(({ index }) => index));
    const asked = {
      owner: run,
      document: position,
      tiers,
      passesOn: !isLast,
      redactors,
      windowShare,
      mayCut: windowShare === 1 && entry.tokens >= MIN_CUT_TOKENS,
      attempts,
      isAudited: isAudited(workflow, entry.document.id),
    };
    return taskOf(workflow).answer({ models, ...asked }, workflow, document);
  });
  return { kind: 'answered', answer: { ...answer, prompt: promptTag(workflow) } };
}

/** The config was checked when the batch was submitted; this worker's may say something else of the same provider. */
export function checkIsLocal(tiers: PaidTiers, local: ReadonlySet<string>): void {
  const models = tiers.flatMap(({ tier }) => modelsOfTier(tier));
  const other = models.find(({ provider }) => !local.has(provider))?.provider;
  if (other === undefined) return;
  throw new CallFailedError(
    'provider_not_local',
    `The workflow is private, and this worker's config does not declare the provider ${JSON.stringify(other)} local ` +
      '(dataPolicy: { location: local }), so the document was not sent.',
  );
}
