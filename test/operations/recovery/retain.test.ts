import { expect, it } from 'vitest';
import { MemoryStore } from '../../../src/adapters/memory-store/memory-store.ts';
import type { App } from '../../../src/app.ts';
import type { BatchRecord } from '../../../src/batches/batch-registry.ts';
import { removeOld } from '../../../src/operations/recovery/retain.ts';
import type { Retention } from '../../../src/store/retention.ts';
import { keepingLog } from '../../schedules/helpers.ts';

const DAY = 86_400_000;
const now = 1_000 * DAY;

/** As much of an app as a round of retention looks at. */
async function makeApp(retention: Retention, batches: readonly Partial<BatchRecord>[]) {
  const store = new MemoryStore();
  const records = new Map(batches.map((batch) => [batch.batchId ?? '', { retries: [], workflow: 'triage', ...batch }]));
  for (const batchId of records.keys()) {
    for (const key of ['input/slice-000000.jsonl.gz', 'output/part-000000.jsonl.gz', 'manifest.json']) {
      await store.put(`batches/${batchId}/${key}`, Buffer.from('{}'));
    }
  }
  const erased: string[] = [];
  const trimmed: string[] = [];
  const audit: number[] = [];
  const closedRuns: string[] = [];
  const files = new Map([
    ['old', now - 40 * DAY],
    ['new', now - DAY],
  ]);
  for (const id of files.keys()) await store.put(`files/${id}/content`, Buffer.from('x'));
  const app = {
    config: { retention },
    clock: { now: () => now },
    log: keepingLog(),
    store,
    memory: { takeTurn: async () => true },
    audit: { removeBefore: async (at: number) => void audit.push(at) },
    openai: {
      async *scanFiles() {
        for (const [id, createdAt] of [...files]) yield { id, createdAt };
      },
      removeFile: async (id: string) => void files.delete(id),
    },
    owners: { forget: async (id: string) => void closedRuns.push(id) },
    batches: {
      get: async (batchId: string) => records.get(batchId),
      list: async (limit: number, from: number) => [...records.values()].slice(from, from + limit),
      erase: async (batchId: string) => void erased.push(batchId),
      noteRemoved: async (batchId: string, parts: readonly string[]) => void trimmed.push(`${batchId} ${parts.join()}`),
    },
  } as unknown as App;
  const keys = async () => {
    const found: string[] = [];
    for await (const { key } of store.list('')) found.push(key);
    return found;
  };
  return { app, store, erased, trimmed, audit, closedRuns, keys };
}

const ended = (batchId: string, days: number, more: Partial<BatchRecord> = {}): Partial<BatchRecord> => ({
  batchId,
  state: 'completed',
  finishedAt: now - days * DAY,
  ...more,
});

it('removes old batches with their retries, and parts of younger ones; what is kept or open stays whole', async () => {
  const { app, erased, trimmed, closedRuns, keys } = await makeApp({ batches: 30 * DAY, inputs: 10 * DAY }, [
    ended('old', 31, { retries: ['old-retry'] }),
    ended('old-retry', 31, { retryOf: 'old' }),
    ended('middle', 11),
    ended('kept', 99, { kept: true }),
    { batchId: 'open', state: 'running' },
  ]);
  await removeOld(app);
  expect(erased).toEqual(['old-retry', 'old']);
  // Where its end was cut off, the replies that a digest was made of are still there.
  expect(closedRuns).toEqual(['digest-old-retry', 'digest-old']);
  expect(trimmed).toEqual(['middle inputs']);
  const left = (await keys()).filter((key) => key.startsWith('batches/'));
  expect(left.filter((key) => key.includes('/old'))).toEqual([]);
  expect(left.filter((key) => key.includes('/middle/'))).toEqual([
    'batches/middle/manifest.json',
    'batches/middle/output/part-000000.jsonl.gz',
  ]);
  for (const id of ['kept', 'open']) expect(left.filter((key) => key.includes(`/${id}/`))).toHaveLength(3);
});

it('removes old uploads, answers and entries of the audit log, and answers of unknown age stay', async () => {
  const { app, store, audit, keys } = await makeApp({ uploads: 30 * DAY, cache: 30 * DAY, audit: 365 * DAY }, []);
  await store.put('cache/aa/old.json', Buffer.from(JSON.stringify({ at: now - 31 * DAY })));
  await store.put('cache/aa/new.json', Buffer.from(JSON.stringify({ at: now - 29 * DAY })));
  await store.put('cache/bb/unknown.json', Buffer.from('{}'));
  await removeOld(app);
  expect(await keys()).toEqual(['cache/aa/new.json', 'cache/bb/unknown.json', 'files/new/content']);
  expect(audit).toEqual([now - 365 * DAY]);
});

it('removes old evaluations and what gates remember, but the newest of a workflow and those of kept batches', async () => {
  const { app, store, keys } = await makeApp({ evaluations: 30 * DAY, batches: 365 * DAY }, [
    ended('kept', 40, { kept: true }),
    ended('r1', 40),
  ]);
  const at = (days: number) => new Date(now - days * DAY).toISOString();
  const scores = (run: string, workflow: string, days: number) =>
    store.put(`evaluations/${run}.json`, Buffer.from(JSON.stringify({ run, workflow, evaluatedAt: at(days) })));
  const gate = (run: string, workflow: string, days: number) =>
    store.put(`evaluated/${workflow}/${run}.json`, Buffer.from(JSON.stringify({ run, answeredAt: at(days) })));
  await Promise.all([scores('r1', 'triage', 40), scores('r2', 'triage', 35), scores('kept', 'triage', 60)]);
  await Promise.all([
    scores('n1', 'night', 90),
    gate('r1', 'triage', 40),
    gate('r2', 'triage', 35),
    gate('n1', 'night', 90),
  ]);
  await scores('r3', 'triage', 1);
  await removeOld(app);
  expect((await keys()).filter((key) => key.startsWith('eval'))).toEqual([
    'evaluated/night/n1.json',
    'evaluated/triage/r2.json',
    'evaluations/kept.json',
    'evaluations/n1.json',
    'evaluations/r3.json',
  ]);
});

it('removes old records of probes and of the time of servers', async () => {
  const { app, store, keys } = await makeApp({ books: 30 * DAY }, []);
  for (const days of [31, 29]) {
    const day = new Date(now - days * DAY).toISOString().slice(0, 10);
    await store.put(`probes/p${days}.json`, Buffer.from(JSON.stringify({ at: now - days * DAY })));
    await store.put(`power/gpu/${day}.json`, Buffer.from('{}'));
  }
  const day = new Date(now - 29 * DAY).toISOString().slice(0, 10);
  await removeOld(app);
  expect((await keys()).filter((key) => /^p/.test(key))).toEqual([`power/gpu/${day}.json`, 'probes/p29.json']);
});

it('takes the scores of a run with its batch, and leaves what a gate remembers of it', async () => {
  const { app, store, keys } = await makeApp({ batches: 30 * DAY }, [ended('r1', 31)]);
  await store.put('evaluations/r1.json', Buffer.from('{}'));
  await store.put('evaluations/r1-2.json', Buffer.from('{}'));
  await store.put('evaluated/triage/r1.json', Buffer.from('{}'));
  await removeOld(app);
  expect((await keys()).filter((key) => key.startsWith('eval'))).toEqual([
    'evaluated/triage/r1.json',
    'evaluations/r1-2.json',
  ]);
});
