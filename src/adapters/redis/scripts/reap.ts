import { QUOTA_LUA } from './quota.ts';
import { script } from './run-script.ts';

/**
 * Books one hold of a worker whose lease has ended as uncertain. Never a silent release: the provider may have
 * billed the call.
 *
 * KEYS  1 workers (ZSET)  2 holds of the worker (HASH)  3 uncertain calls of the batch (HASH)  4 pool (HASH)
 *       5.. totals of each scope
 * ARGV  1 worker id  2 call id  3 JSON for the list of uncertain calls
 * Returns 1 if booked, 0 if the hold is gone or the worker is alive again
 *
 * A call that was reaped before (its admission was sent again after that) is booked once, not twice.
 */
export const REAP = script(`${QUOTA_LUA}
local time = redis.call('TIME')
local lease = redis.call('ZSCORE', KEYS[1], ARGV[1])
if lease and tonumber(lease) >= time[1] * 1000 + math.floor(time[2] / 1000) then return 0 end
local record = redis.call('HGET', KEYS[2], ARGV[2])
if not record then return 0 end
local held = tonumber(string.match(record, '^%d+'))
redis.call('HDEL', KEYS[2], ARGV[2])
redis.call('HINCRBY', KEYS[5], 'open', -1)
local pool = openPool(KEYS[4], time[1] * 1000 + time[2] / 1000)
endQuota(pool, modelOf(record), record)
closePool(pool)
local listed = redis.call('HGET', KEYS[3], ARGV[2])
local booked = listed and tonumber(string.match(listed, '"nano":(%d+)')) or 0
for i = 5, #KEYS do
  redis.call('HINCRBY', KEYS[i], 'held', string.format('%.0f', 0 - held))
  redis.call('HINCRBY', KEYS[i], 'uncertain', string.format('%.0f', held - booked))
end
redis.call('HSET', KEYS[3], ARGV[2], '{"nano":' .. string.format('%.0f', held) .. ',' .. ARGV[3])
return 1
`);

/**
 * Forgets a worker whose lease ended long ago, unless it still holds something.
 *
 * KEYS  1 workers (ZSET)  2 holds of the worker (HASH)
 * ARGV  1 worker id  2 milliseconds: leases that ended before are long over
 */
export const FORGET_WORKER = script(`
local lease = redis.call('ZSCORE', KEYS[1], ARGV[1])
if lease and tonumber(lease) < tonumber(ARGV[2]) and redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('ZREM', KEYS[1], ARGV[1])
end
`);
