import PQueue from 'p-queue';
import type { BatchRecord, BatchRegistry } from '../batches/batch-registry.ts';
import type { BatchSubmission } from '../batches/batch-submission.ts';
import type { ModelTotals } from '../batches/model-totals.ts';
import { ModelSums } from '../batches/model-totals.ts';
import { NightmillError } from '../errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { batchScope } from '../ledger/scope.ts';
import type { NanoUsd } from '../money/money.ts';
import { usdToNano } from '../money/money.ts';
import { addUsage, NO_USAGE, type Usage } from '../money/usage.ts';
import { type ProviderTime, readPowerBook, sumByProvider } from '../providers/power-book.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { storeKeys } from '../store/store-keys.ts';
import { allTiers, LOCAL_MODEL_NAME, modelsOfTier } from '../workflows/workflow.ts';
import { type OurUsage, type Reconciliation, reconcile } from './compare-bills.ts';
import { probeUsages } from './probe-records.ts';
import { type ReadBill, type ReadBillOptions, readBill } from './read-bill.ts';

export interface ReconcileContext {
  readonly batches: BatchRegistry;
  readonly ledger: Ledger;
  readonly store: ObjectStore;
  readonly clock: Clock;
}

export interface ReconcileRequest extends ReadBillOptions {
  readonly bill: string;
  readonly workflow?: string;
  /** Default: every batch. */
  readonly batchIds?: readonly string[];
}

/** Where a batch's figures come from, and whether its ledger says the same. */
export interface ReconciledBatch {
  readonly batchId: string;
  readonly source: 'manifest' | 'ledger';
  /** It has not ended: what it spends meanwhile may be missing. */
  readonly isOpen: boolean;
  /** It began before --since or ended after --until: its calls cannot be told apart by day. */
  readonly isCut: boolean;
  /** Settled and uncertain, as its rows or its manifest say. */
  readonly booked: NanoUsd;
  /** Settled and uncertain, as the ledger says; absent where it does not know the batch any more. */
  readonly ledger?: NanoUsd;
  /** Always true for an open batch, whose figures move. */
  readonly agrees: boolean;
}

export interface ReconcileReport extends Reconciliation {
  readonly bill: ReadBill;
  readonly batches: readonly ReconciledBatch[];
  /** Calls of `nightmill doctor --provider` that are among ours; none where only some batches are compared. */
  readonly probes: { readonly calls: number; readonly cost: NanoUsd };
  /** Time of own servers that these batches and workflows were booked for, in no batch and on no bill of calls. */
  readonly servers: readonly ProviderTime[];
  /** Every difference has a name, and every batch's manifest is its ledger. */
  readonly isExplained: boolean;
}

const MAX_CONCURRENT_BATCHES = 16;

/**
 * Compares what batches booked with a provider's bill.
 *
 * @throws {NightmillError} `batch_unknown`; and as `readBill`
 */
export async function reconcileBill(context: ReconcileContext, request: ReconcileRequest): Promise<ReconcileReport> {
  const bill = await readBill(request.bill, request);
  const selected = await selectBatches(context, request);
  const queue = new PQueue({ concurrency: MAX_CONCURRENT_BATCHES });
  const books = await queue.addAll(selected.map((batch) => () => readBooks(context, batch, request)));
  const isOfAll = request.workflow === undefined && request.batchIds === undefined;
  const probes = isOfAll ? await probeUsages(context.store, request) : [];
  const comparison = reconcile([...books.flatMap((entry) => entry.usages), ...probes], bill.totals);
  const batches = books.map((entry) => entry.batch);
  const servers = await readServers(context.store, request);
  return {
    ...comparison,
    bill,
    batches,
    servers,
    probes: {
      calls: probes.reduce((sum, { calls, uncertainCalls }) => sum + calls + uncertainCalls, 0),
      cost: probes.reduce((sum, { cost, uncertainCost }) => sum + cost + uncertainCost, 0),
    },
    isExplained: comparison.total.isExplained && batches.every((batch) => batch.agrees),
  };
}

async function readServers(
  store: ObjectStore,
  { since = 0, until = Number.POSITIVE_INFINITY, workflow, batchIds }: ReconcileRequest,
): Promise<readonly ProviderTime[]> {
  const shares = await readPowerBook(store, { since, until: until - 1 });
  return sumByProvider(
    shares.filter(
      (share) =>
        (workflow === undefined || share.workflow === workflow) &&
        (batchIds === undefined || batchIds.includes(share.batch ?? '')),
    ),
  );
}

/** A batch that the registry knows, or one of which only the manifest is left. */
type Selected = BatchRecord | { readonly batchId: string };

async function selectBatches(context: ReconcileContext, request: ReconcileRequest): Promise<readonly Selected[]> {
  const { batchIds, workflow, since, until } = request;
  if (batchIds !== undefined) {
    return await Promise.all(batchIds.map(async (batchId) => (await context.batches.get(batchId)) ?? { batchId }));
  }
  const known = await context.batches.list(Number.MAX_SAFE_INTEGER);
  return known.filter(
    (batch) =>
      batch.state !== 'ingesting' &&
      (workflow === undefined || batch.workflow === workflow) &&
      (until === undefined || batch.createdAt < until) &&
      (since === undefined || (batch.finishedAt ?? context.clock.now()) >= since),
  );
}

interface Books {
  readonly usages: readonly OurUsage[];
  readonly batch: ReconciledBatch;
}

/** What a batch booked, by model name. */
interface Bookings {
  readonly models: readonly Pick<ModelTotals, 'model' | 'calls' | 'usage' | 'cost'>[];
  readonly uncertain: readonly { readonly model: string; readonly cost: NanoUsd }[];
  /** What its digest has cost, beside the batch's own books. */
  readonly digest?: Pick<Bookings, 'models' | 'uncertain'>;
  readonly createdAt: number;
  readonly finishedAt: number;
}

async function readBooks(context: ReconcileContext, selected: Selected, request: ReconcileRequest): Promise<Books> {
  const { batchId } = selected;
  const record = 'state' in selected ? selected : undefined;
  const manifest = await readManifest(context.store, batchId);
  const submission = await readSubmission(context.store, batchId);
  if (submission === undefined || (record === undefined && manifest === undefined)) {
    throw new NightmillError(
      'batch_unknown',
      `There is no batch ${JSON.stringify(batchId)} in ${context.store.url}. nightmill status lists those there are.`,
    );
  }
  const bookings = manifest ?? (await readOpenBatch(context, record as BatchRecord));
  const totals = await context.ledger.totals(batchScope(batchId));
  const booked = [...bookings.models, ...bookings.uncertain].reduce((sum, { cost }) => sum + cost, 0);
  const ledger = record === undefined ? undefined : totals.settled + totals.uncertain;
  return {
    usages: usagesOf(batchId, bookings, submission),
    batch: {
      batchId,
      source: manifest === undefined ? 'ledger' : 'manifest',
      isOpen: manifest === undefined,
      isCut:
        (request.since !== undefined && bookings.createdAt < request.since) ||
        (request.until !== undefined && bookings.finishedAt >= request.until),
      booked,
      ...(ledger === undefined ? {} : { ledger }),
      agrees: manifest === undefined || ledger === undefined || ledger === booked,
    },
  };
}

/** One entry for each model that a provider was asked for. */
function usagesOf(batchId: string, bookings: Bookings, submission: BatchSubmission): OurUsage[] {
  const { digest } = bookings;
  const models = [...bookings.models, ...(digest?.models ?? [])];
  const lost = [...bookings.uncertain, ...(digest?.uncertain ?? [])];
  const specs = new Map(
    allTiers(submission.workflow)
      .flatMap(modelsOfTier)
      .map((model) => [model.name, model]),
  );
  const names = new Set([...models, ...lost].map((entry) => entry.model));
  names.delete(LOCAL_MODEL_NAME);
  return [...names].map((name) => {
    const spec = specs.get(name);
    const uncertain = lost.filter((call) => call.model === name);
    const own = models.filter((entry) => entry.model === name);
    return {
      batchId,
      model: spec?.id ?? name,
      fromDay: dayOf(bookings.createdAt),
      toDay: dayOf(bookings.finishedAt),
      calls: own.reduce((sum, entry) => sum + entry.calls, 0),
      usage: own.reduce<Usage>((sum, entry) => addUsage(sum, entry.usage), NO_USAGE),
      cost: own.reduce((sum, entry) => sum + entry.cost, 0),
      uncertainCalls: uncertain.length,
      uncertainCost: uncertain.reduce((sum, call) => sum + call.cost, 0),
      ...(spec?.price === undefined ? {} : { price: spec.price }),
    };
  });
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

async function readSubmission(store: ObjectStore, batchId: string): Promise<BatchSubmission | undefined> {
  const bytes = await store.get(storeKeys.submission(batchId));
  return bytes === undefined ? undefined : (JSON.parse(Buffer.from(bytes).toString()) as BatchSubmission);
}

/** The parts of a manifest, as it is written, that money is in. */
interface WrittenManifest {
  readonly createdAt: string;
  readonly finishedAt: string;
  readonly cost: {
    readonly byModel: readonly { model: string; calls: number; usage: Usage; costUsd: number }[];
    readonly uncertain: { readonly list: readonly { model: string; costUsd: number }[] };
  };
  readonly digest?: {
    readonly byModel: readonly {
      model: string;
      calls: number;
      usage: Usage;
      costUsd: number;
      uncertainCalls: number;
      uncertainUsd: number;
    }[];
  };
}

async function readManifest(store: ObjectStore, batchId: string): Promise<Bookings | undefined> {
  const bytes = await store.get(storeKeys.manifest(batchId));
  if (bytes === undefined) return undefined;
  const { cost, digest, createdAt, finishedAt } = JSON.parse(Buffer.from(bytes).toString()) as WrittenManifest;
  return {
    models: cost.byModel.map(({ costUsd, ...entry }) => ({ ...entry, cost: usdToNano(costUsd) })),
    uncertain: cost.uncertain.list.map(({ model, costUsd }) => ({ model, cost: usdToNano(costUsd) })),
    ...(digest === undefined ? {} : { digest: digestBookings(digest) }),
    createdAt: Date.parse(createdAt),
    finishedAt: Date.parse(finishedAt),
  };
}

function digestBookings({ byModel }: NonNullable<WrittenManifest['digest']>): NonNullable<Bookings['digest']> {
  return {
    models: byModel.map(({ model, calls, usage, costUsd }) => ({ model, calls, usage, cost: usdToNano(costUsd) })),
    uncertain: byModel.flatMap(({ model, uncertainCalls, uncertainUsd }) =>
      Array.from({ length: uncertainCalls }, () => ({ model, cost: usdToNano(uncertainUsd) / uncertainCalls })),
    ),
  };
}

/** A batch at work: committed slices, the journals of those that are open, and its uncertain calls. */
async function readOpenBatch({ batches, ledger, clock }: ReconcileContext, batch: BatchRecord): Promise<Bookings> {
  const { batchId } = batch;
  const models = new ModelSums();
  let slice = 0;
  for await (const commit of batches.commits(batchId, batch.slices)) {
    if (commit !== undefined) models.add(commit.models);
    else {
      for (const { model, tier, usage, cost } of (await ledger.journal(batchId, slice)).values()) {
        models.add([{ model, tier, calls: 1, accepted: 0, usage, cost }]);
      }
    }
    slice += 1;
  }
  return {
    models: models.total(),
    uncertain: await ledger.uncertainCalls(batchId),
    createdAt: batch.createdAt,
    finishedAt: clock.now(),
  };
}
