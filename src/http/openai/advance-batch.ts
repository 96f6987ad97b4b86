import { findWorkflow } from '../../../config/config.ts';
import type { App } from '../../app.ts';
import { hasEnded } from '../../batches/batch-states.ts';
import type { BatchEnding, BatchFault, BatchPart, CompatBatch } from '../../compat/openai-records.ts';
import { NightmillError } from '../../errors.ts';
import { NO_USAGE } from '../../money/usage.ts';
import { cancelBatch } from '../../operations/end-batches.ts';
import { submitDocuments } from '../../operations/submit-documents.ts';
import { storeKeys } from '../../store/store-keys.ts';
import { MODEL_WORKFLOW } from '../../workflows/model-workflow.ts';
import { withoutPlaces } from '../server-places.ts';
import { readProgress } from './batch-progress.ts';
import { findFile, untilAborted } from './file-content.ts';
import { checkBatchLines, type LineRules } from './input-lines.ts';
import { partSource } from './part-source.ts';
import { servedModels } from './served-models.ts';
import { writeOutput } from './write-outputs.ts';

const LOCK_MS = 10_000;

/**
 * Takes the steps of a batch that can be taken now: checks its file, submits a batch of ours for each model, cancels
 * them, writes the files when all have ended. It may be cut off anywhere and begun again by any server.
 */
export async function advanceBatch(app: App, id: string, signal: AbortSignal): Promise<void> {
  const batch = await app.openai.getBatch(id);
  if (batch === undefined || isOver(batch)) return;
  // Most looks find work under way and nothing to do: these need no lock.
  if (batch.submitted !== undefined && batch.cancelling === undefined && !(await haveEnded(app, batch))) return;
  await withLock(app, id, async () => {
    const acting = { ...app, actor: batch.actor };
    await startBatch(acting, id, signal);
    await endBatch(acting, id, signal);
  });
}

function isOver({ refused, ended }: CompatBatch): boolean {
  return refused !== undefined || ended !== undefined;
}

async function startBatch(app: App, id: string, signal: AbortSignal): Promise<void> {
  const batch = await requireCompatBatch(app, id);
  if (batch.submitted !== undefined || batch.cancelling !== undefined || isOver(batch)) return;
  const file = await findFile(app, batch.inputFileId);
  if (file === undefined || !batch.mayReadFile) return await refuse(app, id, [noSuchFile(batch)]);
  const rules = rulesOf(app, batch);
  const parts = batch.planned?.parts ?? (await plan(app, batch, rules, signal));
  if (parts === undefined) return;
  for (const part of parts) {
    if ((await requireCompatBatch(app, id)).cancelling !== undefined) return;
    try {
      await submitDocuments(app, {
        ...(findWorkflow(app.config, part.workflow) !== undefined
          ? { workflow: part.workflow }
          : { workflow: MODEL_WORKFLOW, model: part.workflow }),
        source: partSource(app, file, rules, part.workflow),
        id: part.batchId,
        tenant: batch.tenant,
        expiresAt: batch.expiresAt,
        name: file.filename,
        signal,
      });
    } catch (error) {
      if (!(error instanceof NightmillError) || error.exitCode !== 2) throw error;
      const message = withoutPlaces(error.message, app.config);
      return await refuse(app, id, [{ code: error.code, message, param: null, line: null }]);
    }
  }
  await app.openai.noteStep(id, 'submitted', { at: app.clock.now() });
}

export function rulesOf({ config }: Pick<App, 'config'>, { endpoint }: Pick<CompatBatch, 'endpoint'>): LineRules {
  return { endpoint, models: servedModels(config), maxLineBytes: config.ingest.maxLineBytes };
}

/** @returns undefined where its file is refused */
async function plan(
  app: App,
  batch: CompatBatch,
  rules: LineRules,
  signal: AbortSignal,
): Promise<readonly BatchPart[] | undefined> {
  const content = await app.store.getStream(storeKeys.fileContent(batch.inputFileId));
  if (content === undefined) {
    await refuse(app, batch.id, [noSuchFile(batch)]);
    return undefined;
  }
  const checked = await checkBatchLines(untilAborted(content, signal), rules);
  if ('faults' in checked) {
    await refuse(app, batch.id, checked.faults);
    return undefined;
  }
  const several = checked.models.size > 1;
  const parts = [...checked.models].map(([workflow, lines], index) => ({
    workflow,
    batchId: several ? `${batch.id}.${index + 1}` : batch.id,
    lines,
  }));
  await app.openai.noteStep(batch.id, 'planned', { parts });
  return parts;
}

/** Parts may be there already, where the file was deleted or the config changed between two tries. */
async function refuse(app: App, id: string, faults: readonly BatchFault[]): Promise<void> {
  const { planned } = await requireCompatBatch(app, id);
  await cancelParts(app, planned?.parts ?? []);
  await app.openai.noteStep(id, 'refused', { at: app.clock.now(), faults });
}

function noSuchFile({ inputFileId, tenant }: CompatBatch): BatchFault {
  const message = `Cannot find file ${inputFileId.slice(0, 100)}, or organization ${tenant ?? 'nightmill'} does not have access to it.`;
  return { code: 'invalid_request', message, param: 'file_id', line: null };
}

async function endBatch(app: App, id: string, signal: AbortSignal): Promise<void> {
  const batch = await requireCompatBatch(app, id);
  if (isOver(batch)) return;
  const parts = batch.planned?.parts ?? [];
  if (batch.cancelling !== undefined) await cancelParts(app, parts);
  else if (batch.submitted === undefined) return;
  if (!(await haveEnded(app, batch))) return;
  await app.openai.noteStep(id, 'finalizing', { at: app.clock.now() });
  const { counts, usage } = parts.length === 0 ? NOTHING_DONE : await readProgress(app, batch);
  // What was never submitted is cancelled too, so that the counts add up.
  const all = { ...counts, failed: counts.total - counts.completed };
  const writing = { models: rulesOf(app, batch).models, signal };
  const outputFileId = all.completed === 0 ? null : await writeOutput(app, batch, 'results', writing);
  const errorFileId = all.failed === 0 ? null : await writeOutput(app, batch, 'errors', writing);
  const ending = await endingOf(app, batch);
  await app.openai.noteStep(id, 'ended', {
    at: app.clock.now(),
    ending,
    counts: all,
    usage,
    outputFileId,
    errorFileId,
  });
}

const NOTHING_DONE = { counts: { total: 0, completed: 0, failed: 0 }, usage: NO_USAGE };

async function cancelParts(app: App, parts: readonly BatchPart[]): Promise<void> {
  for (const { batchId } of parts) {
    const part = await app.batches.get(batchId);
    if (part !== undefined && !hasEnded(part.state)) await cancelBatch(app, batchId);
  }
}

/** A part that is not there was never submitted, or somebody has deleted it: nothing more will come of it. */
async function haveEnded(app: Pick<App, 'batches'>, { planned }: CompatBatch): Promise<boolean> {
  const parts = await Promise.all((planned?.parts ?? []).map(({ batchId }) => app.batches.get(batchId)));
  return parts.every((part) => part === undefined || hasEnded(part.state));
}

async function endingOf(app: Pick<App, 'batches'>, { planned, cancelling }: CompatBatch): Promise<BatchEnding> {
  if (cancelling !== undefined) return 'cancelled';
  const parts = await Promise.all((planned?.parts ?? []).map(({ batchId }) => app.batches.get(batchId)));
  const states = parts.map((part) => part?.state ?? 'cancelled');
  if (states.includes('expired')) return 'expired';
  return states.includes('cancelled') ? 'cancelled' : 'completed';
}

async function requireCompatBatch({ openai }: Pick<App, 'openai'>, id: string): Promise<CompatBatch> {
  const batch = await openai.getBatch(id);
  if (batch === undefined) throw new NightmillError('internal', `The record of ${id} vanished from Redis`);
  return batch;
}

/** One server at a time takes the steps of a batch; that of a server which died is free again soon. */
async function withLock({ batches, submit }: App, id: string, work: () => Promise<void>): Promise<void> {
  const lock = `openai:${id}`;
  const owner = submit.newId();
  if (!(await batches.lockSubmission(lock, owner, LOCK_MS))) return;
  const timer = setInterval(() => void batches.lockSubmission(lock, owner, LOCK_MS).catch(() => {}), LOCK_MS / 3);
  try {
    await work();
  } finally {
    clearInterval(timer);
    await batches.unlockSubmission(lock, owner);
  }
}
