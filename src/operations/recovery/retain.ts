import { setTimeout as delay } from 'node:timers/promises';
import type { App } from '../../app.ts';
import type { BatchRecord, RemovedPart } from '../../batches/batch-registry.ts';
import { hasEnded } from '../../batches/batch-states.ts';
import { decideRemoval } from '../../batches/decide-removal.ts';
import type { ProbeRecord } from '../../bills/probe-records.ts';
import { forgetDigestTexts } from '../../digests/forget-texts.ts';
import type { Evaluation } from '../../evaluation/evaluation.ts';
import type { EvaluatedRun } from '../../evaluation/gate.ts';
import { HOUR_MS } from '../../runtime/durations.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { storeKeys } from '../../store/store-keys.ts';
import { deleteUnder, eraseBatches, withRetries } from './delete-batch.ts';

/** Answers of the cache, evaluations and records of probes have to be read for their age. */
const READ_EVERY_MS = 24 * HOUR_MS;
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

/** One round: batches and their parts, uploads, the audit log, and once a day what has to be read for its age. May be cut off anywhere. */
export async function removeOld(app: App, signal?: AbortSignal): Promise<void> {
  const { retention } = app.config;
  const now = app.clock.now();
  await removeBatches(app, now, signal);
  if (retention.audit !== undefined) await app.audit.removeBefore(now - retention.audit);
  if (retention.uploads !== undefined) await removeUploads(app, now - retention.uploads);
  if (retention.cache !== undefined && (await app.memory.takeTurn('retention-cache', READ_EVERY_MS))) {
    await removeAnswers(app, now - retention.cache);
  }
  const { evaluations, books } = retention;
  if (evaluations === undefined && books === undefined) return;
  if (!(await app.memory.takeTurn('retention-records', READ_EVERY_MS))) return;
  if (evaluations !== undefined) await removeEvaluations(app, now - evaluations);
  if (books !== undefined) await removeBooks(app, now - books);
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
    const { at } = await readJson<{ readonly at: number }>(store, key);
    return at !== undefined && at < before;
  });
}

/** Those of kept batches stay, and so does the newest of each workflow, whatever its age: a gate needs one. */
async function removeEvaluations({ store, batches }: App, before: number): Promise<void> {
  const newest = new Map<string, Aged>();
  const old: Aged[] = [];
  const add = (one: Aged, of: string) => {
    const known = newest.get(of);
    if (known === undefined || known.at < one.at) newest.set(of, one);
    if (one.at < before) old.push(one);
  };
  for await (const { key } of store.list(storeKeys.evaluations)) {
    const { run, workflow, evaluatedAt } = await readJson<Evaluation>(store, key);
    if (run !== undefined) add({ key, run, at: Date.parse(evaluatedAt ?? '') }, `scores ${workflow}`);
  }
  for await (const { key } of store.list(storeKeys.evaluatedAll)) {
    const { run, answeredAt } = await readJson<EvaluatedRun>(store, key);
    if (run !== undefined) add({ key, run, at: Date.parse(answeredAt ?? '') }, `gate ${key.split('/')[1]}`);
  }
  const staying = new Set(newest.values());
  for (const one of old) {
    if (!staying.has(one) && (await batches.get(one.run))?.kept !== true) await store.delete([one.key]);
  }
}

interface Aged {
  readonly key: string;
  readonly run: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

async function removeBooks({ store }: App, before: number): Promise<void> {
  await deleteUnder(store, storeKeys.probes, async (key) => {
    const { at } = await readJson<ProbeRecord>(store, key);
    return at !== undefined && at < before;
  });
  const firstDay = new Date(before).toISOString().slice(0, 10);
  await deleteUnder(store, storeKeys.powers, async (key) => (key.split('/')[2] ?? firstDay).slice(0, 10) < firstDay);
}

async function readJson<T>(store: ObjectStore, key: string): Promise<Partial<T>> {
  const bytes = await store.get(key);
  return bytes === undefined ? {} : (JSON.parse(Buffer.from(bytes).toString()) as Partial<T>);
}
