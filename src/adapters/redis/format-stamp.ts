import { version } from '../../../config/version.ts';
import { otherFormat } from '../../store/store-format.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisClient } from './redis-options.ts';
import { runScript, script } from './scripts/run-script.ts';

/**
 * The number of what is under our keys. It goes up with every change that a process of the version before would
 * read wrongly; what such a process merely does not know (a new field, a new key) leaves it as it is, so that old and new
 * workers share the batches in flight. 1: version 0.1.0, which wrote no number.
 */
export const REDIS_FORMAT = 2;

/**
 * Batches and limits are written with the number, which is there again so when a server has lost its memory under processes that
 * have looked already.
 *
 * KEYS  1 format  2 batches  3 limits
 * ARGV  1 our format
 * Returns the format of the data; where there are none, they are ours from now on
 */
const STAMP = script(`
local known = redis.call('GET', KEYS[1])
if known then return known end
if redis.call('EXISTS', KEYS[2], KEYS[3]) > 0 then return '1' end
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]
`);

/** @throws {NightmillError} `format_other` where the data are of another format than ours */
export async function checkRedisFormat(redis: RedisClient, keys: RedisKeys, where: string): Promise<void> {
  const answer = await runScript<Buffer>(redis, STAMP, [keys.format, keys.batches, keys.limits], [REDIS_FORMAT]);
  const found = Number(String(answer));
  if (found === REDIS_FORMAT) return;
  const more = 'name another redisPrefix';
  throw otherFormat({ what: `Redis (${where})`, found, ours: REDIS_FORMAT, version: version(), more });
}
