import { setTimeout as delay } from 'node:timers/promises';
import type { App } from '../../app.ts';
import type { BatchRecord, RemovedPart } from '../../batches/batch-registry.ts';
import { hasEnded } from '../../batches/batch-states.ts';
import { decideRemoval } from '../../batches/decide-removal.ts';
import { forgetDigestTexts } from '../../digests/forget-texts.ts';
import { storeKeys } from '../../store/store-keys.ts';
import { deleteUnder, eraseBatches, withRetries } from './delete-batch.ts';

const HOUR_MS = 3_600_000;
/** Every answer of the cache has to be read for its age. */
const CACHE_EVERY_MS = 24 * HOUR_MS;
const LOOK_EVERY_MS = 60_000;
const BATCHES_PER_READ = 200;

/** Removes what `retention:` of the config no longer keeps, once an hour in the whole cluster, until `signal` aborts. */
export async function keepRetention(app: App, signal: AbortSignal): Promise<void> {
  if (Object.keys(app.config.retention).length === 0) return;
  while (!signal.aborted) {
    try {
      if (await app.memory.takeTurn('retention', HOUR_MS)) await removeOld(app, signal);
    } catch (error) {
      if (!signal.aborted) app.log.warn('retention:failed', { message: (error as Error).message });
    }
    await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
  }
}

/** One round: batches and their parts, uploads, the audit log, and once a day the answer cache. May be cut off anywhere. */
export async function removeOld(app: App, signal?: AbortSignal): Promise<void> {
  const { retention } = app.config;
  const now = app.clock.now();
  await removeBatches(app, now, signal);
  if (retention.audit !== undefined) await app.audit.removeBefore(now - retention.audit);
  if (retention.uploads !== undefined) await removeUploads(app, now - retention.uploads);
  if (retention.cache !== undefined && (await app.memory.takeTurn('retention-cache', CACHE_EVERY_MS))) {
    await removeAnswers(app, now - retention.cache);
  }
}

async function removeBatches(app: App, now: number, signal: AbortSignal | undefined): Promise<void> {
  const old: BatchRecord[] = [];
  for (let from = 0; ; from += BATCHES_PER_READ) {
    const batches = await app.batches.list(BATCHES_PER_READ, from);
    old.push(...batches.filter(({ state, retryOf }) => hasEnded(state) && retryOf === undefined));
    if (batches.length < BATCHES_PER_READ) break;
  }
  for (const batch of old) {
    signal?.throwIfAborted();
    const all = await withRetries(app, batch);
    const retriesAreOpen = all.some(({ state }) => !hasEnded(state));
    const removal = decideRemoval(batch, app.config.retention, now, retriesAreOpen);
    if (removal === 'batch') {
      const objects = await eraseBatches(app, all);
      app.log.info('batch:deleted', { batch: batch.batchId, objects, reason: 'retention.batches' });
    } else if (removal.length > 0) await removeParts(app, all, removal);
  }
}

async function removeParts(app: App, all: readonly BatchRecord[], parts: readonly RemovedPart[]): Promise<void> {
  for (const { batchId, removed = [] } of all) {
    for (const part of parts) for (const prefix of prefixesOf(batchId, part)) await deleteUnder(app.store, prefix);
    if (parts.includes('results')) await forgetDigestTexts(app.store, batchId);
    await app.batches.noteRemoved(batchId, [...new Set([...removed, ...parts])]);
    app.log.info('batch:trimmed', { batch: batchId, parts });
  }
}

function prefixesOf(batchId: string, part: RemovedPart): readonly string[] {
  if (part === 'inputs') return [storeKeys.inputPrefix(batchId)];
  return [storeKeys.outputPrefix(batchId), storeKeys.errorsPrefix(batchId)];
}

async function removeUploads(app: App, before: number): Promise<void> {
  for await (const { id, createdAt } of app.openai.scanFiles({ newestFirst: false })) {
    if (createdAt >= before) return;
    // The record first: one without content would be a lie.
    await app.openai.removeFile(id);
    await app.store.delete([storeKeys.fileContent(id)]);
  }
}

/** Entries of earlier versions do not say how old they are, and stay. */
async function removeAnswers({ store }: App, before: number): Promise<void> {
  await deleteUnder(store, storeKeys.cache, async (key) => {
    const bytes = await store.get(key);
    const { at } = bytes === undefined ? {} : (JSON.parse(Buffer.from(bytes).toString()) as { at?: number });
    return at !== undefined && at < before;
  });
}
