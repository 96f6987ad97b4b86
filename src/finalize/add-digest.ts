import { createHash } from 'node:crypto';
import type { BatchRecord, BatchRegistry } from '../batches/batch-registry.ts';
import type { BatchSubmission } from '../batches/batch-submission.ts';
import type { Notice } from '../budgets/notice.ts';
import { StopError } from '../calls/stop.ts';
import { type Digest, type DigestTexts, digestJson, type NightFigures } from '../digests/digest.ts';
import { digestHtml } from '../digests/digest-html.ts';
import { digestMarkdown } from '../digests/digest-markdown.ts';
import { type DigestAsking, digestWithoutText, makeDigest } from '../digests/make-digest.ts';
import { readFailures } from '../digests/read-answers.ts';
import { NightmillError } from '../errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Log } from '../runtime/log.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { storeKeys } from '../store/store-keys.ts';
import { earlierBatches, manifestOf } from './earlier-batches.ts';
import type { Manifest } from './manifest.ts';

interface DigestContext {
  readonly store: ObjectStore;
  readonly batches: BatchRegistry;
  readonly ledger: Ledger;
  readonly log: Log;
  readonly asking?: DigestAsking | undefined;
}

export interface WithDigest {
  readonly manifest: Manifest;
  readonly digest?: NonNullable<Notice['digest']>;
}

/** A batch that a person has ended says little of its night. */
const COMPARABLE: ReadonlySet<string> = new Set(['completed', 'expired']);
/** Looked through for the night before. */
const MAX_BATCHES = 1_000;

/**
 * Makes the digest of a batch whose workflow asks for one, and writes its pages beside the rows. A retry has none: its
 * documents belong to another night.
 *
 * @throws {StopError} this process ends, or another one makes it
 */
export async function addDigest(
  context: DigestContext,
  batch: BatchRecord,
  submission: BatchSubmission,
  manifest: Manifest,
): Promise<WithDigest> {
  const { workflow } = submission;
  if (workflow.digest === undefined || batch.retryOf !== undefined || batch.isTrial === true) return { manifest };
  const texts = await makeTexts(context, batch, submission, manifest);
  const before = await nightBefore(context, batch);
  const digest: Digest = {
    ...texts,
    workflow: workflow.name,
    night: figuresOf(manifest),
    reasons: reasonsOf(manifest),
    failures: await readFailures(context.store, manifest.errors),
    ...(before === undefined ? {} : { before }),
  };
  const files = [
    await writePage(context.store, storeKeys.digest(batch.batchId, 'md'), digestMarkdown(digest)),
    await writePage(context.store, storeKeys.digest(batch.batchId, 'html'), digestHtml(digest)),
  ];
  const json = digestJson(digest);
  const { by, maxWords } = workflow.digest;
  return {
    manifest: { ...manifest, digest: { by, maxWords, ...json, files } },
    digest: { text: digest.summary ?? digest.withoutText?.message ?? '', json },
  };
}

async function makeTexts(
  context: DigestContext,
  batch: BatchRecord,
  { workflow, timezones, traceparent }: BatchSubmission,
  manifest: Manifest,
): Promise<DigestTexts> {
  const wish = {
    batchId: batch.batchId,
    slices: batch.slices,
    tenant: batch.tenant,
    workflow,
    timezones,
    traceparent,
    results: manifest.results,
    errors: manifest.errors,
    succeeded: manifest.documents.succeeded,
    labels: manifest.labels ?? {},
  };
  try {
    return await makeDigest(context, wish, manifest.state === 'completed' ? context.asking : undefined);
  } catch (error) {
    if (error instanceof StopError || error instanceof NightmillError) throw error;
    // A night does not fail for its digest. The message may quote what was read.
    context.log.error('digest:failed', { batch: batch.batchId, error: (error as Error).name });
    return digestWithoutText(wish, { code: 'internal', message: 'No text was written: see the log.' });
  }
}

function figuresOf({ batchId, finishedAt, documents, models, labels, ...manifest }: Manifest): NightFigures {
  const first = Math.min(...models.map(({ tier }) => tier));
  return {
    batch: batchId,
    finishedAt,
    documents: documents.total,
    failed: documents.total - documents.succeeded,
    cost: manifest.cost + manifest.uncertainCost,
    escalated: models.reduce((sum, { tier, accepted }) => sum + (tier > first ? accepted : 0), 0),
    labels: labels ?? {},
  };
}

function reasonsOf({ escalations = {}, rejections }: Manifest): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries({ ...rejections, ...escalations }).map(([code, { count }]) => [code, count]),
  );
}

/** The batch of the same workflow and tenant that was submitted before. */
async function nightBefore({ store, batches }: DigestContext, batch: BatchRecord): Promise<NightFigures | undefined> {
  for await (const other of earlierBatches(batches, batch, MAX_BATCHES)) {
    if (other.tenant !== batch.tenant || other.createdAt > batch.createdAt || !COMPARABLE.has(other.state)) continue;
    const manifest = await manifestOf(store, other);
    if (manifest !== undefined) return figuresOf(manifest);
  }
  return undefined;
}

async function writePage(store: ObjectStore, key: string, page: string) {
  const body = Buffer.from(page);
  await store.put(key, body);
  return { key, bytes: body.length, sha256: createHash('sha256').update(body).digest('hex') };
}
