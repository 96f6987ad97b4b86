import { createHash } from 'node:crypto';
import type { App } from '../app.ts';
import { isBatchId } from '../batches/batch-id.ts';
import type { BatchRecord, DocumentOutcome } from '../batches/batch-registry.ts';
import { hasManifest } from '../batches/batch-states.ts';
import { readSlice } from '../batches/read-slice.ts';
import type { InputEntry } from '../documents/document.ts';
import type { DocumentSource } from '../documents/document-source.ts';
import { NightmillError } from '../errors.ts';
import { batchScope } from '../ledger/scope.ts';
import type { NanoUsd } from '../money/money.ts';
import { writeAudit } from './audit.ts';
import { modelOfRequests, openRetryOf, requireBatch } from './read-status.ts';
import { readRows } from './results.ts';
import { type SubmitAnswer, submitDocuments } from './submit-documents.ts';

const RETRIED_STATUSES: readonly DocumentOutcome[] = ['failed', 'cancelled', 'expired'];

export interface RetryOperation {
  readonly batchId: string;
  /** Only error rows with these codes. Default: all. */
  readonly codes?: readonly string[] | undefined;
  /** Only error rows with these statuses. Default: failed, cancelled and expired. */
  readonly statuses?: readonly string[] | undefined;
  /** Most that the retry may cost. Default: what the batch's own limit leaves. */
  readonly budget?: NanoUsd | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RetryAnswer extends SubmitAnswer {
  readonly retryOf: string;
}

const NONE = { documents: 0, cost: 0 };

/**
 * Asks the documents of an ended batch's error rows again, as a batch of its own under the workflow as it is configured
 * now. When that has ended, its rows stand in the place of the error rows. While one retry is open, this joins it.
 *
 * @throws {NightmillError} `batch_unknown`; `batch_state`: not ended, or nothing to ask again; `usage`: no such status
 */
export async function retryBatch(app: App, operation: RetryOperation): Promise<RetryAnswer> {
  const parent = await requireBatch(app, operation.batchId);
  if (parent.retryOf !== undefined) {
    throw new NightmillError('batch_state', `${parent.batchId} is itself a retry. Name the batch: ${parent.retryOf}`);
  }
  if (!hasManifest(parent.state)) {
    throw new NightmillError(
      'batch_state',
      `${parent.batchId} is ${parent.state}: it can be asked again when it has ended.`,
    );
  }
  if (parent.removed?.includes('inputs') === true) {
    throw new NightmillError(
      'batch_state',
      `The documents of ${parent.batchId} are gone: retention.inputs of the config has removed them. Submit them again.`,
    );
  }
  const open = await openRetryOf(app, parent);
  if (open !== undefined) {
    return {
      batchId: open.batchId,
      kind: 'joined',
      batch: open,
      ignored: [],
      answeredBefore: NONE,
      warnings: [],
      retryOf: parent.batchId,
    };
  }
  const statuses = readStatuses(operation.statuses);
  const matches = ({ status, code }: ErrorLine) =>
    statuses.includes(status) && (operation.codes === undefined || operation.codes.includes(code));
  const retried = await countErrors(app, parent.batchId, matches, operation);
  const submitted = await submitDocuments(app, {
    workflow: parent.workflow,
    model: await modelOfRequests(app, parent),
    source: await failedDocuments(app, parent, matches),
    id: retryId(parent),
    budget: operation.budget ?? (await remainingBudget(app, parent)),
    tenant: parent.tenant,
    priority: parent.priority,
    name: parent.name,
    labels: parent.labels,
    retryOf: parent.batchId,
    retried,
    signal: operation.signal,
  });
  await app.batches.addRetry(parent.batchId, submitted.batchId);
  await writeAudit(app, 'batch:retry', parent.batchId, undefined, submitted.batchId);
  return { ...submitted, retryOf: parent.batchId };
}

function retryId({ batchId, retries }: BatchRecord): string {
  const id = `${batchId}.retry-${retries.length + 1}`;
  if (isBatchId(id)) return id;
  // Too long: a part of the name and a digest of all of it.
  return `${batchId.slice(0, 40)}.${createHash('sha256').update(id).digest('hex').slice(0, 16)}.retry-${retries.length + 1}`;
}

/** The limit of a batch covers its retries. */
async function remainingBudget(app: App, { batchId, retries }: BatchRecord): Promise<NanoUsd | undefined> {
  const limit = await app.ledger.limit(`batch:${batchId}`);
  if (limit === undefined) return undefined;
  let spent = 0;
  for (const id of [batchId, ...retries]) {
    const { settled, uncertain } = await app.ledger.totals(batchScope(id));
    spent += settled + uncertain;
  }
  return Math.max(0, limit - spent);
}

interface ErrorLine {
  readonly id: string;
  readonly status: DocumentOutcome;
  readonly code: string;
}

async function* errorLines(app: App, batchId: string): AsyncGenerator<ErrorLine, void, undefined> {
  for await (const row of readRows(app, batchId, 'errors')) {
    const { id, status, error } = row as { id: string; status: DocumentOutcome; error: { code: string } };
    yield { id, status, code: error.code };
  }
}

function readStatuses(texts: readonly string[] | undefined): readonly DocumentOutcome[] {
  const unknown = texts?.find((text) => !RETRIED_STATUSES.some((status) => status === text));
  if (unknown !== undefined) {
    throw new NightmillError(
      'usage',
      `Cannot retry rows with the status ${JSON.stringify(unknown)}: use ${RETRIED_STATUSES.join(', ')}.`,
    );
  }
  return texts === undefined ? RETRIED_STATUSES : RETRIED_STATUSES.filter((status) => texts.includes(status));
}

async function countErrors(
  app: App,
  batchId: string,
  matches: (line: ErrorLine) => boolean,
  { codes, statuses }: RetryOperation,
): Promise<NonNullable<BatchRecord['retried']>> {
  const retried: Partial<Record<DocumentOutcome, number>> = {};
  const seen = new Map<string, number>();
  for await (const line of errorLines(app, batchId)) {
    const what = `${line.status} ${line.code}`;
    seen.set(what, (seen.get(what) ?? 0) + 1);
    if (matches(line)) retried[line.status] = (retried[line.status] ?? 0) + 1;
  }
  if (Object.keys(retried).length > 0) return retried;
  const has = [...seen].map(([what, count]) => `${count} ${what}`).join(', ');
  const wanted = [...(statuses ?? []), ...(codes ?? [])].join(', ');
  throw new NightmillError(
    'batch_state',
    seen.size === 0
      ? `${batchId} has no error rows: there is nothing to ask again.`
      : `${batchId} has no error rows ${wanted === '' ? 'that can be asked again' : `with ${wanted}`}; it has: ${has}.`,
  );
}

/** Slices and error rows are both in input order, so one walk finds the documents. */
async function failedDocuments(
  app: App,
  parent: BatchRecord,
  matches: (line: ErrorLine) => boolean,
): Promise<DocumentSource> {
  const { batchId, slices } = parent;
  const name = `batch:${batchId}`;
  async function* read(): AsyncGenerator<InputEntry, void, undefined> {
    const errors = errorLines(app, batchId);
    let next = await errors.next();
    for (let slice = 0; slice < slices && next.done !== true; slice++) {
      for (const entry of await readSlice(app.store, batchId, slice)) {
        const id = entry.kind === 'document' ? entry.document.id : entry.skipped.id;
        if (next.done === true || next.value.id !== id) continue;
        if (entry.kind === 'document' && matches(next.value)) {
          yield { kind: 'document', document: entry.document, source: name };
        }
        next = await errors.next();
      }
    }
  }
  const hash = createHash('sha256').update(name);
  for await (const line of errorLines(app, batchId)) if (matches(line)) hash.update(`\0${line.id}`);
  const fingerprint = hash.digest('hex');
  return { names: [name], fingerprint: async () => fingerprint, read };
}
