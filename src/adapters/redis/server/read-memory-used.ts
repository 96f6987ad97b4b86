import type { RedisClient } from '../redis-options.ts';

/** Share of `maxmemory` that the server uses; undefined: it has no limit, or does not tell this user. */
export async function readMemoryUsed(redis: RedisClient): Promise<number | undefined> {
  const info = await redis.info('memory').catch(() => '');
  const value = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  const most = value('maxmemory');
  return most === 0 ? undefined : value('used_memory') / most;
}
