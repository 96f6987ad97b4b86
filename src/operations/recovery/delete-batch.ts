import type { DiskRewrite } from '../../adapters/redis/server/rewrite-disk.ts';
import type { App } from '../../app.ts';
import { isBatchId } from '../../batches/batch-id.ts';
import type { BatchRecord } from '../../batches/batch-registry.ts';
import { hasEnded } from '../../batches/batch-states.ts';
import { digestRun } from '../../digests/make-digest.ts';
import { NightmillError } from '../../errors.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { storeKeys } from '../../store/store-keys.ts';
import { writeAudit } from '../audit.ts';
import { goldenKeysOf } from '../evidence/golden-store.ts';
import { requireBatch } from '../read-status.ts';

export interface Deleted {
  /** The batch and its retries. */
  readonly batches: readonly string[];
  /** Objects that were removed from the store. */
  readonly objects: number;
  /** Of these, lines of golden sets that were made of its documents. */
  readonly goldenLines: number;
  /** What Redis did with the files on its disk, which hold what it has deleted until they are written again. */
  readonly disk: DiskRewrite;
  /** Where its documents may still be, in sentences. */
  readonly mayRemain: readonly string[];
}

const KEYS_PER_DELETE = 1_000;

/**
 * Removes an ended batch with its retries: documents, rows, manifest, cached replies, lines of golden sets that were made of it in the
 * store, and everything that Redis knows of it. Its money stays in the totals of its day and month. May be repeated.
 *
 * @throws {NightmillError} `batch_unknown`; `batch_state`: it has not ended, or is kept
 */
export async function deleteBatch(app: App, batchId: string): Promise<Deleted> {
  if (await isOrphan(app, batchId)) return await deleteOrphan(app, batchId);
  const batch = await requireBatch(app, batchId);
  const all = await withRetries(app, batch);
  const open = all.find(({ state }) => !hasEnded(state));
  if (open !== undefined) {
    throw new NightmillError(
      'batch_state',
      `Cannot delete ${open.batchId}: it is ${open.state}. End it first: nightmill cancel ${open.batchId}`,
    );
  }
  if (batch.kept === true) {
    throw new NightmillError(
      'batch_state',
      `Cannot delete ${batchId}: it is kept. Let it go first: nightmill keep ${batchId} --off`,
    );
  }
  const batches = all.map((one) => one.batchId);
  // Before Redis forgets the retries, which a deletion that was cut off must still find.
  const goldenLines = await deleteGolden(app, batches);
  return await endDeletion(app, batches, { objects: await eraseBatches(app, all), goldenLines });
}

/** What is the same for every batch, once its own objects are gone. */
async function endDeletion(
  app: App,
  batches: readonly string[],
  { objects: own, goldenLines }: Pick<Deleted, 'objects' | 'goldenLines'>,
): Promise<Deleted> {
  const [batch = ''] = batches;
  const objects = own + goldenLines + (await forgetEvaluated(app.store, batches));
  const disk = await app.redis.rewriteDisk();
  await writeAudit(app, 'batch:delete', batch);
  app.log.info('batch:deleted', { batch, objects });
  return { batches, objects, goldenLines, disk, mayRemain: remains(app, disk) };
}

async function deleteGolden(app: Pick<App, 'store'>, batches: readonly string[]): Promise<number> {
  const keys = await goldenKeysOf(app, batches);
  await app.store.delete(keys);
  return keys.length;
}

/** Redis does not know it, and the store has something of it: a deletion was cut off, or Redis has lost it. */
async function isOrphan({ batches, store }: App, batchId: string): Promise<boolean> {
  if (!isBatchId(batchId) || (await batches.get(batchId)) !== undefined) return false;
  if ((await store.head(storeKeys.evaluation(batchId))) !== undefined) return true;
  for await (const _ of store.list(storeKeys.batch(batchId))) return true;
  return (await goldenKeysOf({ store }, [batchId])).length > 0;
}

async function deleteOrphan(app: App, batchId: string): Promise<Deleted> {
  const goldenLines = await deleteGolden(app, [batchId]);
  return await endDeletion(app, [batchId], { objects: await deleteObjects(app.store, { batchId }), goldenLines });
}

/** From now on neither retention nor a person removes it. @returns false where it was so already */
export async function keepBatch(app: App, batchId: string, keep: boolean): Promise<boolean> {
  const batch = await requireBatch(app, batchId);
  if ((batch.kept === true) === keep) return false;
  await app.batches.keep(batchId, keep);
  await writeAudit(app, keep ? 'batch:keep' : 'batch:unkeep', batchId);
  return true;
}

/** @returns how many objects were removed */
export async function eraseBatches(app: App, all: readonly BatchRecord[]): Promise<number> {
  let objects = 0;
  // Redis last: a deletion that was cut off is found again by its record and repeated.
  for (const one of all.toReversed()) objects += await deleteObjects(app.store, one);
  for (const one of all.toReversed()) {
    // A process that was killed while it ended the batch may have left the replies that its digest was made of.
    await app.owners.forget(digestRun(one.batchId));
    await app.batches.erase(one.batchId, one.slices);
  }
  return objects;
}

export async function withRetries(app: App, batch: BatchRecord): Promise<readonly BatchRecord[]> {
  const retries = await Promise.all(batch.retries.map((id) => app.batches.get(id)));
  return [batch, ...retries.filter((retry) => retry !== undefined)];
}

async function deleteObjects(
  store: ObjectStore,
  { batchId, workflow }: { readonly batchId: string; readonly workflow?: string },
): Promise<number> {
  const answered = new RegExp(`/\\d{16}-${batchId.replaceAll('.', '\\.')}\\.bin$`);
  return (
    (await deleteUnder(store, storeKeys.evaluation(batchId))) +
    (await deleteUnder(store, storeKeys.batch(batchId))) +
    (await deleteUnder(store, storeKeys.answeredOf(workflow), async (key) => answered.test(key))) +
    (await deleteUnder(store, storeKeys.cache, async (key) => (await batchOfAnswer(store, key)) === batchId))
  );
}

/** What gates remember of runs that a person has deleted; retention leaves it, because it has figures alone. */
async function forgetEvaluated(store: ObjectStore, runs: readonly string[]): Promise<number> {
  const names = new Set(runs.map((run) => `${run}.json`));
  return await deleteUnder(store, storeKeys.evaluatedAll, async (key) => names.has(key.split('/')[2] ?? ''));
}

/** @param matches default: every object */
export async function deleteUnder(
  store: ObjectStore,
  prefix: string,
  matches: (key: string) => Promise<boolean> = async () => true,
): Promise<number> {
  let keys: string[] = [];
  let deleted = 0;
  const flush = async () => {
    await store.delete(keys);
    deleted += keys.length;
    keys = [];
  };
  for await (const { key } of store.list(prefix)) {
    if (await matches(key)) keys.push(key);
    if (keys.length === KEYS_PER_DELETE) await flush();
  }
  if (keys.length > 0) await flush();
  return deleted;
}

/** Whose reply it was. Entries of earlier versions do not say. */
async function batchOfAnswer(store: ObjectStore, key: string): Promise<string | undefined> {
  const bytes = await store.get(key);
  return bytes === undefined ? undefined : (JSON.parse(Buffer.from(bytes).toString()) as { batch?: string }).batch;
}

function remains({ config }: App, disk: Deleted['disk']): readonly string[] {
  const isS3 = config.store.url.startsWith('s3:');
  return [
    'Backups of the store and of the disk of Redis that were made before now, and files of its replicas until they write them again.',
    ...(isS3 ? ['Old versions of objects, where the bucket keeps versions: its lifecycle rules remove them.'] : []),
    ...(disk === 'refused' || disk === 'still writing'
      ? ['The files of Redis on its disk: as its administrator, run BGREWRITEAOF and BGSAVE.']
      : []),
    'What it was submitted from: inputs and inboxes (archive/ and quarantine/ too), uploads of the OpenAI-compatible endpoint (DELETE /v1/files/ID), downloaded results, and golden sets in files of yours.',
    'What its providers keep: their data policy says how long.',
  ];
}
