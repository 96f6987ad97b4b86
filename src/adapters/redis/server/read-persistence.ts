import type { RedisClient } from '../redis-options.ts';

/** What a server writes to its disk. `unknown`: it does not tell this user. */
export type Persistence = 'append-only file' | 'snapshots' | 'nothing' | 'unknown';

/** Looks at the server's settings; managed servers and users with few rights are refused them. */
export async function readPersistence(redis: RedisClient): Promise<Persistence> {
  if (/^aof_enabled:1/m.test(await redis.info('persistence'))) return 'append-only file';
  try {
    const [, save] = (await redis.config('GET', 'save')) as readonly string[];
    if (save === undefined) return 'unknown';
    return save === '' ? 'nothing' : 'snapshots';
  } catch {
    return 'unknown';
  }
}
