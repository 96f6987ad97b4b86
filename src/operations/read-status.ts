import { batchTimezones, drainAtOf } from '../../config/config.ts';
import type { App } from '../app.ts';
import { isBatchId } from '../batches/batch-id.ts';
import type { BatchRecord } from '../batches/batch-registry.ts';
import { type BatchState, hasEnded } from '../batches/batch-states.ts';
import { type BatchStatus, batchStatus } from '../batches/batch-status.ts';
import { outlookOf } from '../batches/outlook.ts';
import { addRetries } from '../batches/retry-status.ts';
import { type LiveWorker, workersOf } from '../batches/worker-registry.ts';
import { costPerDocument } from '../batches/workflow-history.ts';
import { NightmillError } from '../errors.ts';
import type { FoundQuota } from '../ledger/ledger.ts';
import { storeKeys } from '../store/store-keys.ts';
import { allSpecs } from '../workflows/all-specs.ts';
import { MODEL_WORKFLOW } from '../workflows/model-workflow.ts';
import { modelsOfTier, poolOf } from '../workflows/workflow.ts';
import { workflowEvidence } from './evidence/workflow-evidence.ts';

/** @throws {NightmillError} `batch_unknown` */
export async function requireBatch(
  app: Pick<App, 'batches'> & Partial<Pick<App, 'store'>>,
  batchId: string,
): Promise<BatchRecord> {
  const batch = await app.batches.get(batchId);
  if (batch !== undefined) return batch;
  if (isBatchId(batchId) && (await app.store?.head(storeKeys.record(batchId))) !== undefined) {
    throw new NightmillError(
      'batch_unknown',
      `Redis does not know the batch ${batchId}, but the store has it: it has lost its memory, or is another server. To resume: nightmill recover`,
    );
  }
  throw new NightmillError(
    'batch_unknown',
    `There is no batch ${JSON.stringify(batchId)} here. nightmill status lists those there are.`,
  );
}

/** The retry of a batch that has not ended; there is one at most. */
export async function openRetryOf(app: Pick<App, 'batches'>, parent: BatchRecord): Promise<BatchRecord | undefined> {
  const last = parent.retries.at(-1);
  const retry = last === undefined ? undefined : await app.batches.get(last);
  return retry === undefined || hasEnded(retry.state) ? undefined : retry;
}

/** @throws {NightmillError} `batch_unknown` */
export async function readStatus(app: App, batchId: string): Promise<BatchStatus> {
  return await statusOf(app, await requireBatch(app, batchId));
}

/** The model that a batch of the workflow `models` is for; undefined: of any other, or not known. */
export async function modelOfRequests(app: App, { batchId, workflow }: BatchRecord): Promise<string | undefined> {
  if (workflow !== MODEL_WORKFLOW) return undefined;
  // Not there yet while it is submitted, and not any more where its inputs were removed.
  if ((await app.store.head(storeKeys.submission(batchId))) === undefined) return undefined;
  const { workflow: spec } = await app.slices.submission(batchId);
  return spec.cascade[0]?.model.name;
}

export interface StatusFilter {
  readonly state?: BatchState | undefined;
  readonly workflow?: string | undefined;
  readonly tenant?: string | undefined;
  /** Created at or after, milliseconds since the epoch. */
  readonly since?: number | undefined;
  /** Only batches that are older than this one: the last of the page before. */
  readonly after?: string | undefined;
  /** Only batches that have not ended; found without a look at the others. */
  readonly open?: boolean | undefined;
  readonly limit: number;
  /** Which batches there are for whoever asks. Default: all. */
  readonly visible?: (batch: BatchRecord) => boolean;
}

const MAX_CONCURRENT_READS = 100;

/** Newest first. */
export async function listStatuses(app: App, filter: StatusFilter): Promise<readonly BatchStatus[]> {
  const found: BatchStatus[] = [];
  let skipping = filter.after !== undefined;
  if (filter.after !== undefined) await requireBatch(app, filter.after);
  for (let from = 0; found.length < filter.limit; from += MAX_CONCURRENT_READS) {
    const batches =
      filter.open === true
        ? openFrom(await app.batches.listOpen(), from)
        : await app.batches.list(MAX_CONCURRENT_READS, from);
    for (const batch of batches) {
      if (skipping) skipping = batch.batchId !== filter.after;
      else if (matches(batch, filter)) {
        const status = await statusOf(app, batch);
        if (filter.state === undefined || status.state === filter.state) found.push(status);
        if (found.length === filter.limit) break;
      }
    }
    if (batches.length < MAX_CONCURRENT_READS) break;
  }
  return found;
}

/** Oldest first, as the registry has them, into a page of the newest first. */
function openFrom(batches: readonly BatchRecord[], from: number): readonly BatchRecord[] {
  return batches.toReversed().slice(from, from + MAX_CONCURRENT_READS);
}

function matches(batch: BatchRecord, { workflow, tenant, since, visible }: StatusFilter): boolean {
  return (
    (visible === undefined || visible(batch)) &&
    (workflow === undefined || batch.workflow === workflow) &&
    (tenant === undefined || batch.tenant === tenant) &&
    (since === undefined || batch.createdAt >= since)
  );
}

async function statusOf(app: App, batch: BatchRecord): Promise<BatchStatus> {
  if (batch.retries.length === 0) return await ownStatus(app, batch);
  const retries = [];
  for (const id of batch.retries) {
    const retry = await app.batches.get(id);
    if (retry !== undefined) retries.push({ batch: retry, status: await ownStatus(app, retry) });
  }
  const last = retries.at(-1);
  // Where it has ended since the batch was read, the batch has counted again in that moment.
  const now = last !== undefined && hasEnded(last.batch.state) ? await app.batches.get(batch.batchId) : undefined;
  return addRetries(await ownStatus(app, now ?? batch), retries);
}

async function ownStatus(app: App, batch: BatchRecord): Promise<BatchStatus> {
  const { workflow } = batch;
  const timezones = batchTimezones(app.config, workflow);
  const evidence = await workflowEvidence(app, workflow);
  const counted = await batchStatus(app.breaker, batch, timezones, drainAtOf(app.config, workflow));
  const status = evidence === undefined ? counted : { ...counted, evidence };
  if (hasEnded(batch.state)) return status;
  const usual = costPerDocument(await app.finalize.histories.get(workflow));
  const known = withOutlook(withWorkers(status, await app.workers.live()), usual);
  const quotas = await foundQuotas(app, poolsOfWorkflow(app, workflow));
  return quotas.length === 0 ? known : { ...known, quotas };
}

/** Says what it takes to finish. What is projected for the whole batch is the same figure with what is spent. */
export function withOutlook(status: BatchStatus, usualPerDocument: number | undefined): BatchStatus {
  const outlook = outlookOf(status, usualPerDocument);
  if (outlook === undefined) return status;
  const { etaSeconds, ...known } = { ...status, outlook, projected: status.spent + outlook.more };
  // What a limit stops does not end then.
  return etaSeconds === undefined || outlook.raise !== undefined ? known : { ...known, etaSeconds };
}

/** Says how many workers there are for a batch. Where none can work on it nothing continues, so no time left is named. */
export function withWorkers(status: BatchStatus, live: readonly LiveWorker[]): BatchStatus {
  const serving = workersOf(live, status.workflow);
  const troubled = serving.flatMap(({ id, trouble }) => (trouble === undefined ? [] : [[id, trouble] as const]));
  const unable = new Map([...status.unable, ...troubled]);
  const known = { ...status, unable, workersAlive: serving.length };
  if (serving.some(({ id }) => !unable.has(id))) return known;
  const { etaSeconds: _, ...standing } = known;
  return standing;
}

function poolsOfWorkflow({ config }: Pick<App, 'config'>, workflow: string): readonly string[] {
  const known = config.workflows.get(workflow);
  const tiers = known === undefined ? [] : allSpecs(known).flatMap(({ cascade }) => cascade);
  return [...new Set(tiers.flatMap(modelsOfTier).map(poolOf))];
}

/** What the cluster has found out about provider quotas; pools of which nothing is known are left out. */
export async function foundQuotas(
  { ledger }: Pick<App, 'ledger'>,
  pools: Iterable<string>,
): Promise<readonly (FoundQuota & { readonly pool: string })[]> {
  const found = await Promise.all([...pools].map(async (pool) => ({ pool, quota: await ledger.foundQuota(pool) })));
  return found.flatMap(({ pool, quota }) => (quota === undefined ? [] : [{ pool, ...quota }]));
}

/** Exit code of a batch that has ended. */
export function exitCodeOf(status: BatchStatus): number {
  if (status.state === 'cancelled' || status.state === 'expired') return 5;
  if (status.state !== 'completed') return 1;
  return status.documents.succeeded === status.documents.total ? 0 : 4;
}
