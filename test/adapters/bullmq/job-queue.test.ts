import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { BullmqJobQueue } from '../../../src/adapters/bullmq/job-queue.ts';
import { QueueClients, type QueueConnection } from '../../../src/adapters/bullmq/queue-options.ts';
import { type SliceOutcome, SliceWorkers } from '../../../src/adapters/bullmq/slice-workers.ts';
import { FairClock } from '../../../src/adapters/redis/fair-clock.ts';
import { RedisKeys } from '../../../src/adapters/redis/keys.ts';
import { shareOf } from '../../../src/batches/fair-share.ts';
import { type RedisServer, startRedisServer } from '../../helpers/redis-server.ts';

interface Slice {
  readonly batch: string;
  readonly slice: number;
}

let server: RedisServer;
let redis: Redis;
let connection: QueueConnection;
let keys: RedisKeys;
let jobs: BullmqJobQueue;
let inspector: Queue;
const workers: SliceWorkers[] = [];
let prefixes = 0;

beforeAll(async () => {
  server = await startRedisServer();
  redis = await server.connect();
});
afterAll(() => server?.stop());
beforeEach(() => {
  prefixes += 1;
  keys = new RedisKeys(`queue-${prefixes}`);
  connection = { target: { url: server.url }, prefix: keys.bullmqPrefix };
  jobs = new BullmqJobQueue(connection, new FairClock(redis, keys));
  inspector = new Queue('triage', new QueueClients(connection).queue());
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.drain()));
  await inspector.close();
  await jobs.close();
});

/** 10,000 tokens a slice. */
const claim = (batchId: string, slices: number, more: { tenant?: string; priority?: number; deadline?: number } = {}) =>
  ({ batchId, priority: 0, documents: 0, inputTokens: slices * 10_000, slices, ...more }) as const;

async function enqueue(batch: ReturnType<typeof claim>, slices?: readonly number[]): Promise<void> {
  const numbers = slices ?? Array.from({ length: batch.slices }, (_, slice) => slice);
  await jobs.enqueueSlices(
    'triage',
    numbers.map((slice) => ({ batch: batch.batchId, slice })),
    shareOf(batch, Date.now()),
  );
}

/** Works on slices one after another; `answer` says what becomes of each. */
async function startWorker(answer: (slice: Slice) => SliceOutcome | Promise<SliceOutcome>): Promise<SliceWorkers> {
  const worker = new SliceWorkers(
    connection,
    { workflows: ['triage'], slices: 1, lockMs: 2_000 },
    {
      processSlice: async (slice) => await answer(slice),
      finalizeBatch: async () => true,
      onError: (error) => {
        throw error;
      },
    },
  );
  workers.push(worker);
  await worker.ready();
  return worker;
}

/** The order in which one worker takes what waits. */
async function takeAll(count: number): Promise<readonly Slice[]> {
  const taken: Slice[] = [];
  let finish = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  await startWorker((slice) => {
    taken.push(slice);
    if (taken.length === count) finish();
    return 'done';
  });
  await finished;
  return taken;
}

async function blockedClients(): Promise<number> {
  return Number(/blocked_clients:(\d+)/.exec(await redis.info('clients'))?.[1]);
}

const batchesOf = (taken: readonly Slice[]) => taken.map(({ batch }) => batch);

test('batches of several tenants take turns, and those of one tenant share its turns in order', async () => {
  await enqueue(claim('a1', 3, { tenant: 'a' }));
  await enqueue(claim('a2', 3, { tenant: 'a' }));
  await enqueue(claim('b1', 3, { tenant: 'b' }));
  await enqueue(claim('alone', 3));
  expect(batchesOf(await takeAll(12))).toEqual([
    ...['a1', 'b1', 'alone', 'a1', 'b1', 'alone', 'a1', 'b1', 'alone'],
    ...['a2', 'a2', 'a2'],
  ]);
});

test('jobs that a clock ahead has put off for hours are tried now, those that wait for seconds stay', async () => {
  await enqueue(claim('a', 3));
  const put = async (slice: number, milliseconds: number) => {
    const id = `a.${slice}`;
    await redis.zrem(inspector.toKey('prioritized'), id);
    await redis.zadd(inspector.toKey('delayed'), (Date.now() + milliseconds) * 0x1000, id);
  };
  await put(0, 7_200_000);
  await put(1, 20_000);
  expect(await jobs.promoteAfter('triage', Date.now() + 60_000)).toBe(1);
  expect(await jobs.promoteAfter('triage', Date.now() + 60_000)).toBe(0);
  expect((await takeAll(2)).map(({ slice }) => slice).sort()).toEqual([0, 2]);
  expect(await inspector.getDelayedCount()).toBe(1);
});

test('two workers at once that let the same jobs be tried do not fail', async () => {
  await enqueue(claim('a', 40));
  for (let slice = 0; slice < 40; slice += 1) {
    await redis.zrem(inspector.toKey('prioritized'), `a.${slice}`);
    await redis.zadd(inspector.toKey('delayed'), (Date.now() + 7_200_000) * 0x1000, `a.${slice}`);
  }
  const each = await Promise.all([1, 2, 3].map(() => jobs.promoteAfter('triage', Date.now() + 60_000)));
  expect(each.reduce((sum, promoted) => sum + promoted, 0)).toBe(40);
  expect(await takeAll(40)).toHaveLength(40);
});

test('a lower priority waits for its smaller part, and a deadline overtakes, also inside one tenant', async () => {
  const deadline = Date.now() + 3_600_000;
  await enqueue(claim('later', 4, { tenant: 'a', priority: 10 }));
  await enqueue(claim('normal', 4, { tenant: 'a' }));
  await enqueue(claim('soon', 4, { tenant: 'a', deadline }));
  expect(batchesOf(await takeAll(12))).toEqual([
    ...['soon', 'soon', 'soon', 'soon'],
    ...['normal', 'normal', 'normal', 'normal'],
    ...['later', 'later', 'later', 'later'],
  ]);
});

test('enqueuing again while slices wait changes neither their turns nor what their tenant may have', async () => {
  await enqueue(claim('a1', 4, { tenant: 'a' }));
  const priorities = async () => (await inspector.getJobs(['prioritized'])).map(({ id, priority }) => [id, priority]);
  const before = await priorities();
  for (let count = 0; count < 5; count += 1) await enqueue(claim('a1', 4, { tenant: 'a' }));
  expect(await priorities()).toEqual(before);
  await enqueue(claim('b1', 8, { tenant: 'b' }));
  await enqueue(claim('a2', 2, { tenant: 'a' }));
  expect(batchesOf(await takeAll(14))).toEqual([
    ...['a1', 'b1', 'a1', 'b1', 'a1', 'b1', 'a1', 'b1'],
    ...['b1', 'a2', 'b1', 'a2', 'b1', 'b1'],
  ]);
});

test('slices that left the queue come back with new turns and their tenant has its part all the same', async () => {
  await enqueue(claim('parked', 40, { tenant: 'a' }));
  const left = batchesOf(await takeAll(40));
  expect(left).toHaveLength(40);
  await Promise.all(workers.splice(0).map((worker) => worker.drain()));
  await enqueue(claim('other', 6, { tenant: 'b' }));
  await enqueue(claim('parked', 40, { tenant: 'a' }), [3, 4, 5, 6, 7, 8]);
  expect(batchesOf(await takeAll(12))).toEqual(Array.from({ length: 6 }, () => ['other', 'parked']).flat());
});

test('a slice that is handed back keeps its turn and goes at once to a worker that has been idle', async () => {
  await enqueue(claim('a', 1));
  const idle = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const took: string[] = [];
  const again = Promise.withResolvers<number>();
  const first = await startWorker(async (): Promise<SliceOutcome> => {
    took.push('first');
    held.resolve();
    await idle.promise;
    return 'handed_back';
  });
  await held.promise;
  await startWorker(() => {
    took.push('second');
    again.resolve(performance.now());
    return 'done';
  });
  // Both wait for finished batches, and the second one for slices too.
  while ((await blockedClients()) < 3 || (await redis.exists(inspector.toKey('marker'))) > 0);
  const [before] = await inspector.getJobs(['active']);
  const draining = first.drain();
  const handedBackAt = performance.now();
  idle.resolve();
  const takenAt = await again.promise;
  await draining;
  expect(took).toEqual(['first', 'second']);
  expect(before?.priority).toBeGreaterThan(0);
  // Without a word to the idle worker it would look again after five seconds.
  expect(takenAt - handedBackAt).toBeLessThan(4_000);
});

test('the slice that is next is looked at where it waits, with its batch and turn', async () => {
  const worker = await startWorker(() => 'done');
  await jobs.pause('triage');
  expect(await worker.next('triage')).toBeUndefined();
  await enqueue(claim('late.v2', 2, { priority: 3 }));
  await enqueue(claim('soon', 2));
  const [next] = await inspector.getJobs(['prioritized'], 0, 0, true);
  expect(await worker.next('triage')).toEqual({ batch: 'soon', turn: next?.priority });
  expect((await jobs.stateOf('triage')).counts).toMatchObject({ waiting: 4 });
  await inspector.remove('soon.0');
  await inspector.remove('soon.1');
  expect(await worker.next('triage')).toMatchObject({ batch: 'late.v2' });
});

test('a worker that was paused while it waited takes nothing, and resumes when it is resumed', async () => {
  const took: string[] = [];
  const taken = Promise.withResolvers<void>();
  const first = await startWorker(() => {
    took.push('first');
    taken.resolve();
    return 'done';
  });
  while ((await blockedClients()) < 2);
  await first.pause('clock');
  await enqueue(claim('a', 1));
  const other = Promise.withResolvers<void>();
  const second = await startWorker(() => {
    took.push('second');
    other.resolve();
    return 'done';
  });
  await other.promise;
  await second.drain();
  first.resume('clock');
  await enqueue(claim('b', 1));
  await taken.promise;
  expect(took).toEqual(['second', 'first']);
});

test('more slices than one call takes come in order', async () => {
  await enqueue(claim('large', 2_300));
  const waiting = await inspector.getJobs(['prioritized'], 0, -1, true);
  expect(waiting.map(({ data }) => data.slice)).toEqual(Array.from({ length: 2_300 }, (_, slice) => slice));
  expect(waiting.every(({ priority }) => priority > 0 && priority < 2 ** 21)).toBe(true);
  const [job] = waiting;
  expect(JSON.stringify(job?.data).length).toBeLessThan(300);
});

test('a queue tells its jobs by state, those whose turn is next first, and why a try failed', async () => {
  await enqueue(claim('night', 3));
  const tried = Promise.withResolvers<void>();
  const worker = await startWorker(async ({ slice }) => {
    tried.resolve();
    throw new Error(`the store does not answer for slice ${slice}`);
  });
  await tried.promise;
  await vi.waitFor(async () => expect((await jobs.stateOf('triage')).counts.delayed).toBeGreaterThan(0));
  await jobs.pause('triage');
  await worker.drain();
  const { counts, paused } = await jobs.stateOf('triage');
  expect(paused).toBe(true);
  expect(counts).toMatchObject({ active: 0, failed: 0 });
  expect(counts.waiting + counts.delayed).toBe(3);
  const delayed = await jobs.jobsOf('triage', 'delayed', 50);
  expect(delayed[0]).toMatchObject({
    batch: 'night',
    slice: 0,
    failures: 1,
    startedAt: expect.any(Number),
    reason: 'the store does not answer for slice 0',
  });
  await jobs.enqueueFinalize({ batch: 'done' });
  expect(await jobs.jobsOf('nightmill.finalize', 'waiting', 50)).toEqual([
    { batch: 'done', addedAt: expect.any(Number), failures: 0 },
  ]);
  await enqueue(claim('next', 60));
  const next = await jobs.jobsOf('triage', 'waiting', 50);
  expect(next).toHaveLength(50);
});
