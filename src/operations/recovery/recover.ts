import type { App } from '../../app.ts';
import { endedAs, hasManifest } from '../../batches/batch-states.ts';
import type { RestoredBatch, SpentScope } from '../../batches/cluster-memory.ts';
import type { SliceCommit } from '../../batches/slice-commit.ts';
import { enqueueSlices } from '../../batches/submit-batch.ts';
import { readRecord, type StoredRecord } from '../../batches/write-record.ts';
import type { Manifest } from '../../finalize/manifest.ts';
import { readManifest } from '../../finalize/read-manifest.ts';
import { batchScope, scopesOf } from '../../ledger/scope.ts';
import { formatUsd, type NanoUsd } from '../../money/money.ts';
import type { ChosenFile } from '../../schedules/inbox.ts';
import { storeKeys } from '../../store/store-keys.ts';
import { writeAudit } from '../audit.ts';
import { type Checkpoint, readCheckpoint } from './checkpoints.ts';
import { type BatchObjects, listBatchObjects } from './list-batch-objects.ts';
import { uncertainBooks } from './uncertain-books.ts';

export interface Recovered {
  /** False: Redis knew everything. */
  readonly lost: boolean;
  /** Of the checkpoint that was used; milliseconds since the epoch. */
  readonly checkpointAt?: number;
  /** Batches that continue. */
  readonly open: readonly { readonly batchId: string; readonly slices: number; readonly committed: number }[];
  /** Batches that had ended. */
  readonly ended: number;
  /** Paid replies that were not in any row yet, booked as uncertain; their documents are asked again. */
  readonly lostReplies: NanoUsd;
  /** What cannot be known, in sentences. */
  readonly unknown: readonly string[];
}

/**
 * Gives a Redis that has lost everything back what the store knows: batches, committed slices, limits, keys, schedules, and
 * what was spent up to the last checkpoint. Nothing that was committed is paid for again. May be repeated.
 */
export async function recover(app: App): Promise<Recovered> {
  const checkpoint = await readCheckpoint(app);
  if (checkpoint !== undefined && (await app.memory.identity()) === checkpoint.identity) {
    return { lost: false, checkpointAt: checkpoint.at, open: [], ended: 0, lostReplies: 0, unknown: [] };
  }
  if (checkpoint !== undefined) await restoreMemory(app, checkpoint);
  const unknown: string[] = [];
  const open: { batchId: string; slices: number; committed: number }[] = [];
  let ended = 0;
  let lostReplies = 0;
  for await (const objects of listBatchObjects(app.store)) {
    if ((await app.batches.get(objects.batchId)) !== undefined) continue;
    const restored = await readBatch(app, objects, checkpoint);
    if (restored === undefined) {
      unknown.push(`${objects.batchId} was not completely submitted, or by an earlier version: submit it again.`);
      continue;
    }
    const { record, commits, lost } = restored;
    await bookCommitted(app, checkpoint, restored);
    if (!(await app.memory.restoreBatch(restored))) continue;
    lostReplies += lost;
    if (hasManifest(restored.state)) ended += 1;
    else open.push({ batchId: record.batchId, slices: record.slices, committed: commits.size });
    if (record.retryOf !== undefined) await app.batches.addRetry(record.retryOf, record.batchId);
  }
  await restoreInboxes(app);
  for (const { batchId } of open) {
    const batch = await app.batches.get(batchId);
    if (batch !== undefined && batch.pause === undefined) await enqueueSlices(app.submit, batch);
  }
  await app.memory.identify(checkpoint?.identity ?? app.submit.newId());
  await writeAudit(app, 'redis:recover', app.redis.description, undefined, `${open.length} open, ${ended} ended`);
  const seen = checkpoint === undefined ? {} : { checkpointAt: checkpoint.at };
  return {
    lost: true,
    ...seen,
    open,
    ended,
    lostReplies,
    unknown: [...whatIsUnknown(checkpoint, lostReplies), ...unknown],
  };
}

async function restoreMemory(app: App, { identity, hashes, scopes }: Checkpoint): Promise<void> {
  const own = Object.entries(hashes).filter(([name]) => !/^(?:batch|uncertain):/.test(name));
  await app.memory.restoreHashes(Object.fromEntries(own));
  for (const { name, period, settled, uncertain, held } of scopes) {
    if (name.startsWith('batch:')) continue;
    // Nobody can know what became of calls that were in flight.
    await app.memory.book({ name, period }, identity, settled, uncertain + held);
  }
}

interface ReadBatch extends RestoredBatch {
  readonly lost: NanoUsd;
}

async function readBatch(
  app: App,
  objects: BatchObjects,
  checkpoint: Checkpoint | undefined,
): Promise<ReadBatch | undefined> {
  const record = await readRecord(app.store, objects.batchId);
  if (record === undefined) return undefined;
  const fields = Object.entries(checkpoint?.hashes[`batch:${record.batchId}`] ?? {}).filter(
    ([name]) => name.startsWith('paused ') || name === 'retries' || name === 'ending',
  );
  const common = { record, fields: Object.fromEntries(fields), tokens: objects.tokens };
  if (objects.hasManifest) return endedBatch(common, await checkedManifest(app, record.batchId));
  const commits = await readCommits(app, objects);
  const spent = spentOf(checkpoint, record);
  const settled = sum([...commits.values()].map(({ cost }) => cost));
  const lost = Math.max(0, spent.settled + spent.held - settled);
  const list = checkpoint?.hashes[`uncertain:${record.batchId}`] ?? {};
  const outcomes = sumOutcomes([...commits.values()].map(({ outcomes }) => outcomes));
  return {
    ...common,
    fields: { ...endingOf(outcomes), ...common.fields },
    state: commits.size > 0 ? 'running' : 'queued',
    outcomes,
    commits,
    settled,
    ...uncertainBooks(list, spent.uncertain, lost),
    lost,
  };
}

/** A batch with rows of documents that were given up is not complete any more, whatever the checkpoint knows of that. */
export function endingOf(outcomes: ReadBatch['outcomes']): { readonly ending?: 'cancelled' | 'expired' } {
  const ending = endedAs(outcomes);
  return ending === 'completed' ? {} : { ending };
}

function endedBatch(common: Pick<RestoredBatch, 'record' | 'fields' | 'tokens'>, manifest: Manifest): ReadBatch {
  const { total: _, ...outcomes } = manifest.documents;
  return {
    ...common,
    fields: {},
    state: manifest.state,
    finishedAt: Date.parse(manifest.finishedAt),
    outcomes,
    commits: new Map(),
    settled: manifest.cost,
    uncertain: manifest.uncertainCost,
    uncertainCalls: {},
    lost: 0,
  };
}

async function checkedManifest({ store }: App, batchId: string): Promise<Manifest> {
  const bytes = (await store.get(storeKeys.manifest(batchId))) ?? new Uint8Array();
  return readManifest(Buffer.from(bytes).toString(), (key) => key.startsWith(storeKeys.outputPrefix(batchId)));
}

/** Of each slice the commit with the highest token whose rows are there: all of them were paid for and are complete. */
async function readCommits({ store }: App, { commits, keys }: BatchObjects): Promise<ReadonlyMap<number, SliceCommit>> {
  const found = new Map<number, SliceCommit>();
  for (const [slice, candidates] of commits) {
    for (const { key } of candidates) {
      const bytes = await store.get(key);
      if (bytes === undefined) continue;
      const commit = JSON.parse(Buffer.from(bytes).toString()) as SliceCommit;
      const parts = [commit.results, commit.errors].filter((part) => part !== undefined);
      if (!parts.every((part) => keys.has(part.key))) continue;
      found.set(slice, commit);
      break;
    }
  }
  return found;
}

/** Slices that were committed after the checkpoint are spending that it does not have. */
async function bookCommitted(
  app: App,
  checkpoint: Checkpoint | undefined,
  { record, settled, uncertain, lost, finishedAt }: ReadBatch,
): Promise<void> {
  const at = checkpoint?.at ?? 0;
  // What ended before the checkpoint is in its totals.
  if (finishedAt !== undefined && finishedAt <= at) return;
  const spent = spentOf(checkpoint, record);
  const more = Math.max(0, settled - spent.settled);
  const moreUncertain = Math.max(0, uncertain - lost - spent.uncertain);
  if (more === 0 && moreUncertain === 0) return;
  const { timezones } = await app.slices.submission(record.batchId);
  const when = finishedAt ?? Math.max(at, record.createdAt);
  for (const scope of scopesOf(record, when, timezones).slice(1)) {
    await app.memory.book(scope, `batch ${record.batchId}`, more, moreUncertain);
  }
}

function spentOf(checkpoint: Checkpoint | undefined, { batchId }: StoredRecord): Omit<SpentScope, 'name' | 'period'> {
  const { name } = batchScope(batchId);
  return checkpoint?.scopes.find((scope) => scope.name === name) ?? { settled: 0, uncertain: 0, held: 0 };
}

async function restoreInboxes(app: App): Promise<void> {
  for await (const { key } of app.store.list(storeKeys.schedules)) {
    const bytes = await app.store.get(key);
    if (bytes === undefined) continue;
    const { schedule, slot, files } = JSON.parse(Buffer.from(bytes).toString()) as {
      readonly schedule: string;
      readonly slot: number;
      readonly files: readonly ChosenFile[];
    };
    await app.schedules.remember(schedule, slot, files);
  }
}

function whatIsUnknown(checkpoint: Checkpoint | undefined, lostReplies: NanoUsd): readonly string[] {
  const always = 'The audit log, what was learnt of quotas, and records of the OpenAI-compatible endpoint are gone.';
  if (checkpoint === undefined) {
    return [
      'There is no checkpoint: what was spent today and this month in slices that were not committed is not known, limits and keys are gone. Set them again.',
      always,
    ];
  }
  const at = new Date(checkpoint.at).toISOString();
  return [
    `What was spent after ${at} in slices that were not committed is not known: nightmill reconcile shows it from the provider's bill.`,
    ...(lostReplies === 0
      ? []
      : [
          `${formatUsd(lostReplies)} of replies and calls in flight were in no row yet: they are booked as uncertain, and their documents are asked again.`,
        ]),
    always,
  ];
}

function sum(amounts: readonly NanoUsd[]): NanoUsd {
  return amounts.reduce((total, amount) => total + amount, 0);
}

function sumOutcomes(all: readonly SliceCommit['outcomes'][]): SliceCommit['outcomes'] {
  const total = { succeeded: 0, failed: 0, cancelled: 0, expired: 0, skipped: 0 };
  for (const outcomes of all) {
    for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += outcomes[name];
  }
  return total;
}
