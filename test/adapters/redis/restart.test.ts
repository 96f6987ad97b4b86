import { expect, test } from 'vitest';
import { entryOf, replyOf, scopesOfTest, ticketOf } from '../../contract/cluster.ts';
import { type RedisServer, startRedisServer } from '../../helpers/redis-server.ts';
import { Cluster } from './fixture.ts';

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];
const CALLS = 600;
const IN_FLIGHT = 24;
const KILLS = 4;

test('scripts are loaded again after the server has forgotten them', async () => {
  await using server = await startRedisServer();
  const cluster = new Cluster(await server.connect());
  const { ledger, claim } = await cluster.workerWithSlice();
  const ticket = ticketOf(claim, 50);
  await ledger.admit(ticket);
  await cluster.redis.script('FLUSH');
  expect(await ledger.settle(ticket, replyOf(20))).toEqual({ kind: 'settled' });
  await cluster.redis.script('FLUSH');
  expect(await ledger.admit(ticketOf(claim, 50))).toEqual({ kind: 'admitted' });
  expect(await ledger.totals(scopesOfTest(claim.batchId)[0]!)).toEqual({ settled: 20, uncertain: 0, held: 50 });
  await cluster.stop();
});

test('a server that is killed and started again in the middle of work loses nothing and books nothing twice', async () => {
  await using server = await startRedisServer(DURABLE);
  const cluster = new Cluster(await server.connect());
  const { ledger, claim } = await cluster.workerWithSlice();
  const tickets = Array.from({ length: CALLS }, (_, index) => ticketOf(claim, 100, { callKey: `call-${index}` }));
  let next = 0;
  let settled = 0;
  const killing = killNowAndThen(server, () => settled);
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      for (;;) {
        const index = next++;
        const ticket = tickets[index];
        if (ticket === undefined) return;
        expect(await ledger.admit(ticket)).toEqual({ kind: 'admitted' });
        expect(await ledger.settle(ticket, replyOf(index))).toEqual({ kind: 'settled' });
        settled += 1;
      }
    }),
  );
  await killing;
  const cost = (CALLS * (CALLS - 1)) / 2;
  expect(await cluster.totals(ledger, claim)).toEqual(Array(4).fill({ settled: cost, uncertain: 0, held: 0 }));
  expect(await ledger.openCalls(claim.batchId)).toBe(0);
  const journal = await ledger.journal(claim.batchId, 0);
  expect(journal.size).toBe(CALLS);
  for (let index = 0; index < CALLS; index += 1) expect(journal.get(`call-${index}`)).toEqual(entryOf(index));
  await cluster.stop();
});

test('money operations say that Redis is out of reach when it stays away, and work again when it is back', async () => {
  await using server = await startRedisServer(DURABLE);
  const cluster = new Cluster(await server.connect());
  const { ledger, claim } = await cluster.workerWithSlice();
  cluster.redis.options.maxRetriesPerRequest = 1;
  await server.kill();
  const ticket = ticketOf(claim, 50);
  await expect(ledger.admit(ticket)).rejects.toMatchObject({ code: 'redis_unavailable', retryable: true });
  await server.start();
  expect(await ledger.admit(ticket)).toEqual({ kind: 'admitted' });
  expect((await cluster.totals(ledger, claim)).map(({ held }) => held)).toEqual([50, 50, 50, 50]);
  await cluster.stop();
});

/** Each time while calls are in flight. */
async function killNowAndThen(server: RedisServer, settled: () => number): Promise<void> {
  for (let kill = 1; kill <= KILLS; kill += 1) {
    await expect.poll(settled, { interval: 1, timeout: 20_000 }).toBeGreaterThan((kill * CALLS) / (KILLS + 2));
    await server.kill();
    await server.start();
  }
}
