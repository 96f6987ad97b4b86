import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EndingRedis } from '../../../src/adapters/redis/ending-redis.ts';
import { redisOptions } from '../../../src/adapters/redis/redis-options.ts';
import { type RedisServer, startRedisServer } from '../../helpers/redis-server.ts';

let server: RedisServer;
let redis: EndingRedis;

beforeEach(async () => {
  server = await startRedisServer();
  redis = new EndingRedis({ ...redisOptions({ url: server.url }), lazyConnect: false, maxRetriesPerRequest: null });
  redis.on('error', () => {});
  await once(redis, 'ready');
});
afterEach(async () => {
  redis.disconnect();
  await server.stop();
});

describe('a connection that waits for its next attempt', () => {
  test('ends when it is told to, and so do the commands that were under way and those that came since', async () => {
    const underWay = redis.blpop('nothing', 0);
    await server.kill();
    if (redis.status !== 'reconnecting') await once(redis, 'reconnecting');
    const since = redis.get('key');
    const ended = once(redis, 'end');
    redis.disconnect();
    await ended;
    await expect(underWay).rejects.toThrow('Connection is closed.');
    await expect(since).rejects.toThrow('Connection is closed.');
    await expect(redis.quit()).rejects.toThrow('Connection is closed.');
  });

  test('can be opened again after it', async () => {
    await server.kill();
    if (redis.status !== 'reconnecting') await once(redis, 'reconnecting');
    redis.disconnect();
    await server.start();
    await redis.connect();
    expect(await redis.set('key', 'value')).toBe('OK');
  });
});

test('one that is open, and a copy of it, end as any other', async () => {
  const copy = redis.duplicate();
  copy.on('error', () => {});
  expect(copy).toBeInstanceOf(EndingRedis);
  await once(copy, 'ready');
  for (const each of [redis, copy]) {
    const underWay = each.blpop('nothing', 0);
    each.disconnect();
    await expect(underWay).rejects.toThrow('Connection is closed.');
  }
});
