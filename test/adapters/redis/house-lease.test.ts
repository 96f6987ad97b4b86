import { afterAll, beforeAll, expect, test } from 'vitest';
import { HouseLease } from '../../../src/adapters/redis/house-lease.ts';
import { type RedisServer, startRedisServer } from '../../helpers/redis-server.ts';
import { Cluster } from './fixture.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server?.stop());

test('one worker at a time keeps house; another takes over at once from one that leaves, within seconds from one that died', async () => {
  const { redis, keys } = new Cluster(await server.connect());
  const [first, second] = [new HouseLease(redis, keys), new HouseLease(redis, keys)];
  expect([await first.take(), await second.take(), await first.take()]).toEqual([true, false, true]);
  expect([first.isHeld, second.isHeld]).toEqual([true, false]);
  await second.leave();
  expect(await second.take()).toBe(false);
  await first.leave();
  expect(first.isHeld).toBe(false);
  expect([await second.take(), await first.take()]).toEqual([true, false]);
  const left = await redis.pttl(keys.house);
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThanOrEqual(3_000);
  await expect.poll(() => first.take(), { timeout: 10_000 }).toBe(true);
});
