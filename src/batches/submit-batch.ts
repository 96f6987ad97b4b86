import { createHash } from 'node:crypto';
import type { DocumentSource } from '../documents/document-source.ts';
import type { ReadSummary } from '../documents/read-documents.ts';
import { NightmillError } from '../errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Timezones } from '../ledger/scope.ts';
import type { Meter } from '../measures/meter.ts';
import type { NanoUsd } from '../money/money.ts';
import type { Clock } from '../runtime/clock.ts';
import { formatTraceparent, parseTraceparent, traceOfBatch } from '../runtime/trace-context.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { storeKeys } from '../store/store-keys.ts';
import { promptIdentity } from '../tasks/prompt-hash.ts';
import { allTiers, type ModelSpec, modelsOfTier, type WorkflowSpec } from '../workflows/workflow.ts';
import { contentBatchId, isBatchId } from './batch-id.ts';
import type { BatchRecord, BatchRegistry } from './batch-registry.ts';
import type { BatchSubmission } from './batch-submission.ts';
import { shareOf } from './fair-share.ts';
import type { JobQueue } from './job-queue.ts';
import { workflowHash } from './workflow-hash.ts';
import { writeRecord } from './write-record.ts';
import { type EarlierAnswers, type WriteProgress, writeSlices } from './write-slices.ts';

export interface SubmitContext {
  readonly store: ObjectStore;
  readonly batches: BatchRegistry;
  readonly jobs: JobQueue;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Told of each batch that is submitted. Absent: nobody measures. */
  readonly meter?: Meter;
}

export interface SubmitRequest {
  readonly source: DocumentSource;
  readonly workflow: WorkflowSpec;
  readonly timezones: Timezones;
  readonly id?: string;
  readonly tenant?: string;
  /** What the tenant has of the workflow: a plan's name. Absent: the workflow as it is. */
  readonly plan?: string;
  /** 0 is the most urgent. */
  readonly priority: number;
  /** When it should be done, milliseconds since the epoch: it gets a larger part as this comes near. */
  readonly deadline?: number;
  /** When it ends with what is done, milliseconds since the epoch. */
  readonly expiresAt?: number;
  /** For people: which of several nightly batches it is. */
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** The ended batch whose documents are asked again. */
  readonly retryOf?: string;
  readonly retried?: NonNullable<BatchRecord['retried']>;
  readonly isTrial?: boolean;
  /** Where the batch comes from, for its manifest. */
  readonly origin?: Pick<BatchSubmission, 'program' | 'submittedBy' | 'prices'>;
  /** The span that it is submitted in, as W3C Trace Context has it. */
  readonly traceparent?: string | undefined;
  /** Documents that earlier batches have answered take those answers. Absent: all are asked. */
  readonly earlier?: EarlierAnswers | undefined;
  readonly budget?: NanoUsd;
  /** The limit was stated for this submission and is not the config's: it replaces the one of a batch that is there. */
  readonly isBudgetStated?: boolean;
  readonly skipInvalid: boolean;
  readonly maxLineBytes: number;
  /** An input with more is refused. Absent: no limit. */
  readonly maxDocuments?: number | undefined;
  readonly sliceDocuments: number;
  readonly sliceTokens: number;
  readonly onProgress?: WriteProgress;
  readonly onSummary?: (summary: ReadSummary) => void;
  readonly signal?: AbortSignal;
}

export interface Submitted {
  readonly batchId: string;
  /** `joined`: the same batch had been submitted before. */
  readonly kind: 'submitted' | 'joined';
  readonly batch: BatchRecord;
}

const LOCK_MS = 10_000;
const LOCK_POLL_MS = 250;
/** Longer than the lock of a process that was killed. */
const LOCK_WAIT_MS = 15_000;

/**
 * Reads, checks and stores the documents of a batch, then enqueues its slices. Repeating it is safe at any point:
 * with the same content it resumes where it was cut off or does nothing, with other content it refuses.
 */
export async function submitBatch(context: SubmitContext, request: SubmitRequest): Promise<Submitted> {
  const contentHash = await hashContent(request);
  const configHash = workflowHash(request.workflow);
  const batchId = request.id ?? contentBatchId(request.workflow.name, configHash, contentHash, request.tenant);
  if (!isBatchId(batchId)) {
    throw new NightmillError(
      'usage',
      `Cannot use ${JSON.stringify(batchId)} as a batch id: use letters, digits, dots, - and _, at most 80, starting with a letter or digit.`,
    );
  }
  return await withSubmissionLock(context, batchId, request.signal, async () => {
    const known = await context.batches.get(batchId);
    if (known !== undefined) {
      refuseOtherContent(known, contentHash, request);
      // What a person has set since then stays, unless the limit is stated again.
      if (request.budget !== undefined && request.isBudgetStated) {
        await context.ledger.setLimit(`batch:${batchId}`, request.budget);
      }
      if (known.state !== 'ingesting') {
        // Jobs that were lost between storing and enqueuing are found again; those that wait are left as they are.
        if (known.state === 'queued' || known.state === 'running') await enqueueSlices(context, known);
        return { batchId, kind: 'joined', batch: known };
      }
    }
    const batch = await ingest(context, request, { batchId, contentHash, configHash }, known);
    return { batchId, kind: 'submitted', batch };
  });
}

async function hashContent(request: SubmitRequest): Promise<string> {
  const content = await request.source.fingerprint(request.signal);
  // What becomes of a bad line is part of what was submitted.
  return sha256(`${content}\0${request.skipInvalid}\0${request.maxLineBytes}`);
}

function refuseOtherContent(known: BatchRecord, contentHash: string, request: SubmitRequest): void {
  const sameWorkflow = known.workflow === request.workflow.name;
  if (known.contentHash === contentHash && sameWorkflow && known.tenant === request.tenant) return;
  // Whose batch it is stays untold: the name of another tenant is not the caller's business.
  const what = !sameWorkflow
    ? `the workflow ${known.workflow}`
    : known.tenant === request.tenant
      ? 'other documents'
      : 'another tenant, or none';
  throw new NightmillError(
    'batch_exists',
    `Cannot submit as ${known.batchId}: that batch (${known.state}) was submitted with ${what}. Choose another --id.`,
  );
}

/** What a batch has as it was asked for. */
const REQUESTED = [
  'tenant',
  'plan',
  'priority',
  'deadline',
  'expiresAt',
  'name',
  'labels',
  'retryOf',
  'retried',
  'isTrial',
] as const;

async function ingest(
  context: SubmitContext,
  request: SubmitRequest,
  hashes: { batchId: string; contentHash: string; configHash: string },
  known: BatchRecord | undefined,
): Promise<BatchRecord> {
  const { batchId, contentHash } = hashes;
  // A batch that was cut off keeps the limits it began with, so its slices come out the same.
  const limits = known ?? { sliceDocuments: request.sliceDocuments, sliceTokens: request.sliceTokens };
  const { workflow, tenant } = request;
  const createdAt = known?.createdAt ?? context.clock.now();
  const facts = {
    batchId,
    workflow: workflow.name,
    ...pick(request, REQUESTED),
    createdAt,
    contentHash,
    sliceDocuments: limits.sliceDocuments,
    sliceTokens: limits.sliceTokens,
  };
  const parent = parseTraceparent(request.traceparent);
  const trace = traceOfBatch(batchId, createdAt, parent);
  const startedAt = context.clock.monotonic();
  await context.batches.create(facts);
  try {
    if (request.budget !== undefined) await context.ledger.setLimit(`batch:${batchId}`, request.budget);
    await writeSubmission(context.store, request, hashes, { createdAt, traceparent: formatTraceparent(trace) });
    const entries = request.source.read({
      maxLineBytes: request.maxLineBytes,
      maxDocuments: request.maxDocuments,
      ...(request.onSummary === undefined ? {} : { onSummary: request.onSummary }),
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
    const written = await writeSlices(context.store, batchId, entries, {
      sliceDocuments: limits.sliceDocuments,
      sliceTokens: limits.sliceTokens,
      skipInvalid: request.skipInvalid,
      earlier: request.earlier,
      ...(request.onProgress === undefined ? {} : { onProgress: request.onProgress }),
    });
    if (written.documents === 0) {
      throw new NightmillError(
        'input_invalid',
        `The input ${request.source.names.join(', ')} has no documents; nothing was submitted.`,
      );
    }
    if ((await hashContent(request)) !== contentHash) {
      throw new NightmillError(
        'input_changed',
        'The input changed while it was read; nothing was submitted. Submit again when nobody is writing to it.',
      );
    }
    const { documents, inputTokens, slices } = written;
    await writeRecord(context.store, { ...facts, documents, inputTokens, slices });
    await context.batches.queue(batchId, written);
  } catch (error) {
    if (error instanceof NightmillError && error.exitCode === 2) await discardBatch(context, batchId);
    throw error;
  }
  const batch = await context.batches.get(batchId);
  if (batch === undefined)
    throw new NightmillError('internal', `Batch ${batchId} vanished from Redis while it was submitted`);
  await enqueueSlices(context, batch);
  context.meter?.batchSubmitted?.({
    ...{ batch: batchId, workflow: workflow.name, tenant, documents: batch.documents },
    traceparent: formatTraceparent(trace),
    ...(parent === undefined ? {} : { parentSpanId: parent.spanId }),
    durationMs: context.clock.monotonic() - startedAt,
  });
  return batch;
}

async function writeSubmission(
  store: ObjectStore,
  { workflow, timezones, tenant, plan, source, origin }: SubmitRequest,
  { batchId, contentHash, configHash }: { batchId: string; contentHash: string; configHash: string },
  { createdAt, traceparent }: { readonly createdAt: number; readonly traceparent: string },
): Promise<void> {
  const submission: BatchSubmission = {
    schemaVersion: 1,
    batchId,
    createdAt: new Date(createdAt).toISOString(),
    workflow,
    timezones,
    ...(tenant === undefined ? {} : { tenant }),
    ...(plan === undefined ? {} : { plan }),
    contentHash,
    configHash,
    prompt: promptIdentity(workflow),
    inputs: source.names,
    ...origin,
    traceparent,
  };
  await store.put(storeKeys.submission(batchId), Buffer.from(`${JSON.stringify(submission, null, 2)}\n`));
}

/** What a batch keeps of its request, where it is there. */
function pick<K extends keyof SubmitRequest>(request: SubmitRequest, keys: readonly K[]): Pick<SubmitRequest, K> {
  const entries = keys.flatMap((key) => (request[key] === undefined ? [] : [[key, request[key]]]));
  return Object.fromEntries(entries) as Pick<SubmitRequest, K>;
}

/** Puts every slice of a batch into its workflow's queue; those that are there or committed change nothing. */
export async function enqueueSlices(
  context: Pick<SubmitContext, 'batches' | 'jobs' | 'clock'>,
  batch: BatchRecord,
): Promise<void> {
  const perCall = 1_000;
  const share = shareOf(batch, context.clock.now());
  let jobs: { batch: string; slice: number }[] = [];
  let slice = 0;
  for await (const commit of context.batches.commits(batch.batchId, batch.slices)) {
    if (commit === undefined) jobs.push({ batch: batch.batchId, slice });
    slice += 1;
    if (jobs.length < perCall) continue;
    await context.jobs.enqueueSlices(batch.workflow, jobs, share);
    jobs = [];
  }
  if (jobs.length > 0) await context.jobs.enqueueSlices(batch.workflow, jobs, share);
}

/** Removes a batch that never left `ingesting`: a refused input leaves nothing behind. */
export async function discardBatch(context: Pick<SubmitContext, 'store' | 'batches'>, batchId: string): Promise<void> {
  for await (const { key } of context.store.list(storeKeys.batch(batchId))) await context.store.delete([key]);
  await context.batches.deleteDraft(batchId);
}

/**
 * One process at a time submits a batch. Another one with the same batch waits for it and then finds its work done;
 * the lock of a process that was killed ends by itself.
 */
async function withSubmissionLock<T>(
  context: SubmitContext,
  batchId: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const owner = context.newId();
  const giveUpAt = context.clock.monotonic() + LOCK_WAIT_MS;
  while (!(await context.batches.lockSubmission(batchId, owner, LOCK_MS))) {
    if (context.clock.monotonic() >= giveUpAt) {
      throw new NightmillError(
        'batch_exists',
        `Another process is submitting the batch ${batchId} right now. Wait for it, then look at: nightmill status ${batchId}`,
        { retryable: true },
      );
    }
    await context.clock.sleep(LOCK_POLL_MS, signal);
    signal?.throwIfAborted();
  }
  const timer = setInterval(
    () => void context.batches.lockSubmission(batchId, owner, LOCK_MS).catch(() => {}),
    LOCK_MS / 3,
  );
  try {
    return await work();
  } finally {
    clearInterval(timer);
    await context.batches.unlockSubmission(batchId, owner);
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * Where a budget applies, every model needs a price.
 *
 * @param hintFor a sentence to add for a model without one, e.g. on a similar name that has a listed price
 * @throws {NightmillError} `price_unknown` with the line to add
 */
export function requirePrices(
  workflow: WorkflowSpec,
  hasBudget: boolean,
  hintFor: (model: ModelSpec) => string | undefined = () => undefined,
): void {
  if (!hasBudget) return;
  for (const model of allTiers(workflow).flatMap(modelsOfTier)) {
    if (model.price !== undefined) continue;
    const hint = hintFor(model);
    throw new NightmillError(
      'price_unknown',
      `The workflow ${workflow.name} has a budget, and the price of its model ${model.name} (${model.id}) is not known. ` +
        `Add under models.${model.name}: price: { inputPerMillion: USD, outputPerMillion: USD }` +
        (hint === undefined ? '' : `\n${hint}`),
    );
  }
}
