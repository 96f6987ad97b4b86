import { script } from './run-script.ts';

/**
 * Opens an owner of calls that is no batch: whoever had it before can neither buy nor store from now on.
 *
 * KEYS  1 owners (ZSET)  2 fence (HASH)
 * ARGV  1 owner  2 milliseconds after which another one is forgotten  3 how many forgotten ones to name at most
 * Returns {token, names of forgotten owners …}
 */
export const OPEN_OWNER = script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
-- Ended while calls were in flight: whoever had it then must not find its token again.
local last = redis.call('HGET', KEYS[2], 'last')
if last then redis.call('HSETNX', KEYS[2], '0', last) end
local token = redis.call('HINCRBY', KEYS[2], '0', 1)
local forgotten = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - tonumber(ARGV[2])), 'LIMIT', 0, ARGV[3])
return {tostring(token), unpack(forgotten)}
`);

/**
 * Ends an owner: what it alone has leaves. Wider scopes keep what its calls cost. Where calls are in flight its replies
 * leave, and no more are taken; the rest, in which there is no text, must wait for these calls.
 *
 * KEYS  1 owners (ZSET)  2 fence (HASH)  3 journal (HASH)  4 uncertain calls (HASH)  5 totals of its scope (HASH)  6 limits (HASH)
 * ARGV  1 owner  2 fence token, or empty for one that is forgotten  3 name of its scope
 * Returns 1 · 0: it has another owner, or calls are in flight
 */
export const CLOSE_OWNER = script(`
local fence = redis.call('HGET', KEYS[2], '0')
if ARGV[2] ~= '' and (fence or redis.call('HGET', KEYS[2], 'last')) ~= ARGV[2] then return 0 end
if tonumber(redis.call('HGET', KEYS[5], 'open') or 0) > 0 then
  if fence then redis.call('HSET', KEYS[2], 'last', fence) end
  redis.call('HDEL', KEYS[2], '0')
  redis.call('UNLINK', KEYS[3])
  return 0
end
redis.call('UNLINK', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
redis.call('HDEL', KEYS[6], 'set:' .. ARGV[3])
redis.call('ZREM', KEYS[1], ARGV[1])
return 1
`);

/**
 * KEYS  1 workers (ZSET)
 * ARGV  1 lease  2 milliseconds
 * Returns 1 where it is for so long now, 0 where it had ended before (its holds may have been booked already)
 */
export const EXTEND_LEASE = script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = redis.call('ZSCORE', KEYS[1], ARGV[1])
if lease and tonumber(lease) < now then return 0 end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[2])), ARGV[1])
return 1
`);
