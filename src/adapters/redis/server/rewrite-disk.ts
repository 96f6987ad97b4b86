import { setTimeout as delay } from 'node:timers/promises';
import type { RedisClient } from '../redis-options.ts';
import { readPersistence } from './read-persistence.ts';

export type DiskRewrite = 'rewritten' | 'nothing on disk' | 'refused' | 'still writing';

const POLL_MS = 100;
const LONGEST_MS = 60_000;

/**
 * Has the server write its files again, so that what was deleted leaves its disk, and waits for it.
 *
 * @returns `refused`: this user or this server may not
 */
export async function rewriteDisk(redis: RedisClient): Promise<DiskRewrite> {
  const persistence = await readPersistence(redis);
  const info = await readInfo(redis);
  const saves = info('rdb_saves') > 0;
  if (persistence === 'nothing' && !saves) return 'nothing on disk';
  try {
    if (info('aof_enabled') === 1) await redis.call('BGREWRITEAOF');
    if (!(await isIdle(redis))) return 'still writing';
    // Beside a log there is a snapshot only where one was ever made.
    if (saves || persistence !== 'append-only file') await redis.call('BGSAVE');
    return (await isIdle(redis)) ? 'rewritten' : 'still writing';
  } catch {
    return 'refused';
  }
}

async function isIdle(redis: RedisClient): Promise<boolean> {
  for (let waited = 0; waited < LONGEST_MS; waited += POLL_MS) {
    const info = await readInfo(redis);
    const busy = ['aof_rewrite_in_progress', 'aof_rewrite_scheduled', 'rdb_bgsave_in_progress'];
    if (busy.every((name) => info(name) === 0)) return true;
    await delay(POLL_MS);
  }
  return false;
}

async function readInfo(redis: RedisClient): Promise<(name: string) => number> {
  const text = await redis.info('persistence');
  return (name) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1] ?? 0);
}
