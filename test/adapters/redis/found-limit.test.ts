import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeQuota } from '../../../src/ledger/describe-quota.ts';
import type { FoundQuota } from '../../../src/ledger/ledger.ts';
import { zoneOffsetMs } from '../../../src/ledger/period.ts';
import type { PoolLimits } from '../../../src/ledger/pool-limits.ts';
import { ticketOf } from '../../contract/cluster.ts';
import { ALL_TESTS, pairsOf } from '../../helpers/all-tests.ts';
import { type RedisServer, startRedisServer } from '../../helpers/redis-server.ts';
import { Cluster } from './fixture.ts';
import { PacedCluster } from './paced-cluster.ts';
import { playRow, QUOTA_ROWS } from './quota-rows.ts';
import { withVirtualTime } from './virtual-redis.ts';

const WORKERS = [1, 4, 8];
const NO_BLIPS = { share: 0, waitMs: 0 };

let server: RedisServer;

beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server?.stop());

/** A provider that counts refused calls is found like the one that does not; all rows are played with all tests. */
const ROWS = ALL_TESTS ? QUOTA_ROWS : QUOTA_ROWS.filter(({ manners }) => manners.refusalsCount !== true);

describe('a limit of 1,500 requests per minute, from the second minute on', () => {
  test.each(pairsOf(ROWS, ALL_TESTS ? WORKERS : [1]).map(([row, workers]) => ({ ...row, workers })))(
    '$name, $workers workers',
    async ({ workers, ...row }) => {
      const { used, refused } = await playRow(await server.connect(), row, workers);
      expect(used).toBeGreaterThanOrEqual(row.least);
      expect(refused).toBeLessThanOrEqual(row.mostRefused);
    },
    120_000,
  );
});

describe('a provider that refuses some calls whatever their rate', () => {
  const play = async (workers: number, blips: { share: number; waitMs: number }, stated?: PoolLimits) => {
    const time = { now: Date.UTC(2026, 2, 1, 1, 0, 17) };
    const cluster = new Cluster(withVirtualTime(await server.connect(), time));
    const manners = { headers: 'none', waits: 'exact' } as const;
    const scene = { manners, limits: {}, workers, seconds: 90, countFrom: 0, concurrency: 8, blips };
    const { answered } = await new PacedCluster(time, stated === undefined ? scene : { ...scene, stated }).run(cluster);
    const { ledger } = await cluster.workerWithSlice();
    const quota = await ledger.foundQuota('acme');
    await cluster.stop();
    return { answered, told: quota === undefined ? '' : describeQuota(quota, time.now) };
  };

  const unrefused = new Map<number, Promise<number>>();
  /** Calls that so many workers make where nothing is refused, played once. */
  const withoutBlips = async (workers: number) => {
    const played = unrefused.get(workers) ?? play(workers, NO_BLIPS).then(({ answered }) => answered);
    unrefused.set(workers, played);
    return await played;
  };
  const rows = [
    { share: 0.02, waitMs: 0, least: 0.8, what: 'two of a hundred' },
    { share: 0.05, waitMs: 0, least: 0.8, what: 'five of a hundred' },
    // The refused calls alone take a sixth: each keeps its place for eight times as long as a call that is answered.
    { share: 0.02, waitMs: 3_000, least: 0.75, what: 'two of a hundred, with a wait of 3 s' },
  ];

  // Nothing else slows them down, so every worker more plays as many calls more.
  test.each(
    pairsOf(ALL_TESTS ? rows : rows.slice(0, 1), ALL_TESTS ? WORKERS : [1]).map(([row, workers]) => ({
      ...row,
      workers,
    })),
  )(
    'is used as if it did not: $what, $workers workers',
    async ({ share, waitMs, least, workers }) => {
      const without = await withoutBlips(workers);
      const { answered, told } = await play(workers, { share, waitMs });
      expect(answered).toBeGreaterThanOrEqual(least * without);
      expect(told).toMatch(/about \d+\.\d % of calls are refused whatever their rate/);
    },
    120_000,
  );

  test('is not slowed down where its limit is stated', async () => {
    const stated = { requestsPerMinute: 1_200 };
    const without = await play(2, NO_BLIPS, stated);
    const { answered } = await play(2, { share: 0.03, waitMs: 0 }, stated);
    expect(answered).toBeGreaterThanOrEqual(0.8 * without.answered);
  }, 120_000);
});

describe('what was found', () => {
  test('is told with its moment, and a limit that the headers state takes its place', async () => {
    const time = { now: Date.now() };
    const cluster = new Cluster(withVirtualTime(await server.connect(), time));
    const { ledger, claim } = await cluster.workerWithSlice();
    const quota = { pool: 'acme', limits: {}, inputTokens: 10, outputTokens: 10 };
    for (let n = 0; n < 5; n += 1) await ledger.admit(ticketOf(claim, 0, { quota }));
    expect(await ledger.foundQuota('acme')).toMatchObject({ isStarting: true, found: {} });
    await ledger.reportQuota('acme', { refused: true });
    // One refusal after a few calls says too little to tell.
    expect(await ledger.foundQuota('acme')).toMatchObject({ found: {} });
    time.now += 2_000;
    await ledger.reportQuota('acme', { refused: true });
    const found = await ledger.foundQuota('acme');
    expect(found).toMatchObject({ isStarting: false, told: {} });
    expect(found?.found.requestsPerMinute).toBeGreaterThan(0);
    expect((found?.foundAt ?? 0) - time.now).toBe(0);
    expect(describeQuota({ ...found, silentUntil: 0 } as FoundQuota, 1)).toMatch(
      /^found by trying: about [\d,]+ requests per minute/,
    );
    await ledger.reportQuota('acme', { limits: { requestsPerMinute: 600 } });
    expect(await ledger.foundQuota('acme')).toMatchObject({ told: { requestsPerMinute: 600 }, found: {} });
    expect(await ledger.foundQuota('other')).toBeUndefined();
    await cluster.stop();
  });

  test('a day of a pool begins at midnight of its zone', async () => {
    const time = { now: Date.UTC(2026, 2, 1, 7, 30) };
    const cluster = new Cluster(withVirtualTime(await server.connect(), time));
    const { ledger, claim } = await cluster.workerWithSlice();
    const admit = () =>
      ledger.admit(
        ticketOf(claim, 0, {
          quota: {
            pool: 'acme',
            limits: { requestsPerDay: 1 },
            inputTokens: 0,
            outputTokens: 0,
            dayOffsetMs: zoneOffsetMs(time.now, 'America/Los_Angeles'),
          },
        }),
      );
    expect(await admit()).toMatchObject({ kind: 'admitted' });
    // 23:30 in Los Angeles: half an hour to go.
    expect(await admit()).toMatchObject({ kind: 'wait', why: 'day', waitMs: 1_800_000 });
    time.now += 1_800_000;
    expect(await admit()).toMatchObject({ kind: 'admitted' });
    await cluster.stop();
  });
});
