import { afterEach, beforeEach, expect, test } from 'vitest';
import { BullmqJobQueue } from '../../../src/adapters/bullmq/job-queue.ts';
import { SliceWorkers } from '../../../src/adapters/bullmq/slice-workers.ts';
import { FairClock } from '../../../src/adapters/redis/fair-clock.ts';
import { RedisKeys } from '../../../src/adapters/redis/keys.ts';
import { shareOf } from '../../../src/batches/fair-share.ts';
import { type RedisServer, startRedisServer } from '../../helpers/redis-server.ts';

let server: RedisServer;

beforeEach(async () => {
  server = await startRedisServer();
});
afterEach(() => server.stop());

async function openQueue() {
  const redis = await server.connect();
  const keys = new RedisKeys('closing');
  const connection = { target: { url: server.url }, prefix: keys.bullmqPrefix };
  return { connection, jobs: new BullmqJobQueue(connection, new FairClock(redis, keys)) };
}

/** Resolves `lost` when its connections have noticed that the server is away. */
async function openWorkers(
  connection: Awaited<ReturnType<typeof openQueue>>['connection'],
  processSlice: () => Promise<'done' | 'handed_back'>,
) {
  const lost = Promise.withResolvers<void>();
  const workers = new SliceWorkers(
    connection,
    { workflows: ['triage', 'summarize'], slices: 1, lockMs: 2_000 },
    { processSlice, finalizeBatch: async () => true, onError: () => lost.resolve() },
  );
  await workers.ready();
  return { workers, lost: lost.promise };
}

test('a queue that was used closes while Redis is away', async () => {
  const { jobs } = await openQueue();
  await jobs.pause('triage');
  await server.kill();
  await jobs.close();
});

test('workers that wait for a slice close while Redis is away', async () => {
  const { connection } = await openQueue();
  const { workers, lost } = await openWorkers(connection, async () => 'done');
  await server.kill();
  await lost;
  await workers.drain();
});

test('a slice in hand that cannot be handed back is waited for until that is given up', async () => {
  const { connection, jobs } = await openQueue();
  const taken = Promise.withResolvers<void>();
  const goesOn = Promise.withResolvers<void>();
  const { workers, lost } = await openWorkers(connection, async () => {
    taken.resolve();
    await goesOn.promise;
    return 'handed_back';
  });
  const batch = { batchId: 'a', priority: 0, documents: 1, inputTokens: 10, slices: 1 };
  await jobs.enqueueSlices('triage', [{ batch: 'a', slice: 0 }], shareOf(batch, Date.now()));
  await taken.promise;
  await server.kill();
  await lost;
  let isDrained = false;
  const drained = workers.drain().then(() => {
    isDrained = true;
  });
  goesOn.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  expect(isDrained).toBe(false);
  workers.giveUp();
  await drained;
  await jobs.close();
});
