import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { BatchRecord, BatchRegistry } from '../batches/batch-registry.ts';
import { hasManifest, isWorking } from '../batches/batch-states.ts';
import type { BatchSubmission } from '../batches/batch-submission.ts';
import { costFigures } from '../batches/cost-figures.ts';
import type { PartFile } from '../batches/slice-commit.ts';
import type { WorkflowHistories } from '../batches/workflow-histories.ts';
import { pausedMs } from '../batches/workflow-history.ts';
import type { Notify } from '../budgets/notice.ts';
import { StopError } from '../calls/stop.ts';
import { type DigestAsking, digestRun } from '../digests/make-digest.ts';
import type { BreakerEvent } from '../ledger/breaker-event.ts';
import type { CallOwners } from '../ledger/call-owners.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Meter } from '../measures/meter.ts';
import type { Lessons } from '../providers/lesson-book.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { MissingObjectError } from '../store/join-objects.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { storeKeys } from '../store/store-keys.ts';
import { addDigest } from './add-digest.ts';
import { buildManifest } from './build-manifest.ts';
import { manifestOf } from './earlier-batches.ts';
import { finishedNotice } from './finished-notice.ts';
import { indexAnswers } from './index-answers.ts';
import { lostCommit, MissingPartError } from './lost-commit.ts';
import { formatManifest, type Manifest, type ManifestFile } from './manifest.ts';
import { mergeRetry } from './merge-retry.ts';
import { type CommitSums, sumCommits } from './sum-commits.ts';
import { tellSlower } from './tell-slower.ts';

export interface FinalizeContext {
  readonly store: ObjectStore;
  readonly batches: BatchRegistry;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Log;
  readonly submission: (batchId: string) => Promise<BatchSubmission>;
  readonly histories: WorkflowHistories;
  /** Tells people that a batch has ended. */
  readonly notify: Notify;
  /** Ends the run that a digest was made in. */
  readonly owners: Pick<CallOwners, 'forget'>;
  /** Names of providers whose server is switched on for batches. */
  readonly powered: ReadonlySet<string>;
  /** What refusals of a provider have taught, by the id of the model. */
  readonly lessonsOf: (provider: string) => Promise<ReadonlyMap<string, Lessons>>;
  readonly breakerHistory: (batchId: string, workflow: string) => Promise<readonly BreakerEvent[]>;
  /** Told of each batch that ends. Absent: nobody measures. */
  readonly meter?: Meter;
  /** Who asks models for a digest. Absent: nobody, and digests have their figures alone. */
  readonly asking?: DigestAsking | undefined;
}

/** Slices' files are put together to parts of about this size, so that a download is a few files, not thousands. */
const PART_LINES = 200_000;

/**
 * Writes a batch's final files and its manifest and ends it. May be repeated at any point: the files are made from
 * committed slices alone, so they come out the same, byte for byte.
 *
 * @returns false where slices or calls are still under way
 */
export async function finalizeBatch(context: FinalizeContext, batchId: string): Promise<boolean> {
  const seal = await context.batches.seal(batchId);
  if (seal.kind === 'gone') {
    // Ended before: only its last steps, which cost nothing to repeat, may be missing.
    if (hasManifest(seal.state)) await removeTraces(context, batchId);
    return true;
  }
  if (seal.kind !== 'sealed') return false;
  const batch = await context.batches.get(batchId);
  if (batch === undefined) return true;
  try {
    await writeEnd(context, batch);
  } catch (error) {
    // This process ends, or another one is at it: what is paid for is not bought again.
    if (error instanceof StopError) return false;
    // Another process has ended it meanwhile, and with that its commits and work files are gone.
    const now = await context.batches.get(batchId);
    if (now === undefined) {
      // A server that has lost its memory: the slices' rows stay, for `recover`.
      await context.owners.forget(digestRun(batchId));
      return true;
    }
    if (!hasManifest(now.state) && !(error instanceof MissingPartError && (await endAgain(context, batch)))) {
      // A server that has come back without its last second: slices of it are open again.
      if (isWorking(now.state)) return false;
      throw error;
    }
  }
  await removeTraces(context, batchId);
  return true;
}

/**
 * Ends a batch by its manifest: only a batch that has ended has one and no work files, so the server has forgotten its end.
 *
 * @returns false where it has no manifest
 */
async function endAgain(context: FinalizeContext, batch: BatchRecord): Promise<boolean> {
  const manifest = await manifestOf(context.store, batch);
  if (manifest === undefined) return false;
  const { batchId } = batch;
  const parent = await mergeRetry(context, batch, manifest);
  if (!(await context.batches.finish(batchId, manifest.state, Date.parse(manifest.finishedAt), parent))) return false;
  context.log.info('batch:finished', { batch: batchId, state: manifest.state, ...manifest.documents });
  return true;
}

/** What nobody needs when a batch has ended. Replies that a digest was made of say what is in documents; a repeat would still have found them. */
async function removeTraces({ owners, store }: FinalizeContext, batchId: string): Promise<void> {
  await owners.forget(digestRun(batchId));
  await removeWork(store, batchId);
}

async function writeEnd(context: FinalizeContext, batch: BatchRecord): Promise<void> {
  const { batchId, workflow, tenant } = batch;
  const startedAt = context.clock.monotonic();
  const sums = await sumCommits(context.batches, batch);
  // Files that a manifest names are not written anew from a part of what they were made of.
  if ((await context.store.head(storeKeys.manifest(batchId))) !== undefined) await requireParts(context, batch);
  const results = await mergeParts(context, batch, 'results');
  const errors = await mergeParts(context, batch, 'errors');
  const submission = await context.submission(batchId);
  const receipt = await buildManifest(context, batch, submission, { ...sums, results, errors });
  const { manifest, digest } = await addDigest(context, batch, submission, receipt);
  // A Redis that has lost its memory meanwhile has told totals of nothing.
  if ((await context.batches.get(batchId))?.state !== 'finalizing') throw lostCommit(batch);
  await context.store.put(storeKeys.manifest(batchId), Buffer.from(formatManifest(manifest)));
  await indexAnswers(context, batch, submission, manifest);
  const parent = await mergeRetry(context, batch, manifest);
  await addToHistory(context, batch, manifest, sums);
  if (!(await context.batches.finish(batchId, manifest.state, context.clock.now(), parent))) throw lostCommit(batch);
  context.log.info('batch:finished', { batch: batchId, state: manifest.state, ...manifest.documents });
  context.meter?.batchEnded?.({
    ...{ batch: batchId, workflow, tenant, state: manifest.state, documents: manifest.documents.total },
    traceparent: submission.traceparent,
    durationMs: context.clock.monotonic() - startedAt,
  });
  await context.notify(finishedNotice(batch, manifest, digest));
  await tellSlower(context, batch, manifest);
}

/** What the batch took, for plans and for the drift alert. A batch that was cut short tells little. */
async function addToHistory(
  { histories }: FinalizeContext,
  batch: BatchRecord,
  manifest: Manifest,
  sums: CommitSums,
): Promise<void> {
  const documents = manifest.documents.total - manifest.documents.skipped;
  if (manifest.state !== 'completed' || documents === 0 || batch.isTrial === true) return;
  const finishedAt = Date.parse(manifest.finishedAt);
  const paused = pausedMs(manifest.breaker, batch.createdAt, finishedAt);
  await histories.add(batch.workflow, {
    batchId: batch.batchId,
    configHash: manifest.hashes.config,
    documents,
    cost: manifest.cost + manifest.uncertainCost,
    inputTokens: batch.inputTokens,
    seconds: Math.max(0, finishedAt - batch.createdAt - paused) / 1000,
    finishedAt,
    figures: costFigures({
      models: sums.models,
      rejections: Object.fromEntries(Object.entries(sums.rejections).map(([code, { count }]) => [code, count])),
      retries: sums.callRetries,
      evidence: sums.evidence,
    }),
  });
}

async function mergeParts(
  context: FinalizeContext,
  batch: BatchRecord,
  kind: 'results' | 'errors',
): Promise<readonly ManifestFile[]> {
  const files: ManifestFile[] = [];
  let group: PartFile[] = [];
  let lines = 0;
  const flush = async () => {
    if (group.length === 0) return;
    const key =
      kind === 'results'
        ? storeKeys.output(batch.batchId, files.length)
        : storeKeys.errors(batch.batchId, files.length);
    files.push(await mergeGroup(context.store, key, group));
    group = [];
    lines = 0;
  };
  for await (const commit of context.batches.commits(batch.batchId, batch.slices)) {
    // Another worker has finished the batch meanwhile and its commits are gone: files made from fewer would be wrong.
    if (commit === undefined) throw lostCommit(batch);
    const part = commit[kind];
    if (part === undefined) continue;
    group.push(part);
    lines += part.lines;
    if (lines >= PART_LINES) await flush();
  }
  await flush();
  if (files.length === 0 && kind === 'results') files.push(await writeEmpty(context.store, batch.batchId));
  return files;
}

async function writeEmpty(store: ObjectStore, batchId: string): Promise<ManifestFile> {
  const key = storeKeys.output(batchId, 0);
  const body = gzipSync('');
  await store.put(key, body);
  return { key, bytes: body.length, sha256: createHash('sha256').update(body).digest('hex'), lines: 0 };
}

/** Gzip files put one behind the other are one gzip file, so nothing is unpacked. */
async function mergeGroup(store: ObjectStore, key: string, group: readonly PartFile[]): Promise<ManifestFile> {
  try {
    const sources = group.map((part) => part.key);
    const { bytes, sha256 } = await store.putJoined(key, sources);
    return { key, bytes, sha256, lines: group.reduce((sum, part) => sum + part.lines, 0) };
  } catch (error) {
    if (error instanceof MissingObjectError) throw new MissingPartError(error.key, store.url);
    throw error;
  }
}

/** @throws {MissingPartError} */
async function requireParts({ store, batches }: FinalizeContext, { batchId, slices }: BatchRecord): Promise<void> {
  for await (const commit of batches.commits(batchId, slices)) {
    for (const part of [commit?.results, commit?.errors]) {
      if (part !== undefined && (await store.head(part.key)) === undefined)
        throw new MissingPartError(part.key, store.url);
    }
  }
}

async function removeWork(store: ObjectStore, batchId: string): Promise<void> {
  let keys: string[] = [];
  for await (const { key } of store.list(storeKeys.workPrefix(batchId))) {
    keys.push(key);
    if (keys.length === 1_000) {
      await store.delete(keys);
      keys = [];
    }
  }
  if (keys.length > 0) await store.delete(keys);
}
