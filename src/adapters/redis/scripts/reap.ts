import { script } from './run-script.ts';

/**
 * Books one hold of a worker whose lease has ended as uncertain. Never a silent release: the provider may have
 * billed the call.
 *
 * KEYS  1 workers (ZSET)  2 holds of the worker (HASH)  3 uncertain calls of the batch (HASH)  4.. totals of each scope
 * ARGV  1 worker id  2 call id  3 JSON for the list of uncertain calls
 * Returns 1 if booked, 0 if the hold is gone or the worker is alive again
 */
export const REAP = script(`
local time = redis.call('TIME')
local lease = redis.call('ZSCORE', KEYS[1], ARGV[1])
if lease and tonumber(lease) >= time[1] * 1000 + math.floor(time[2] / 1000) then return 0 end
local record = redis.call('HGET', KEYS[2], ARGV[2])
if not record then return 0 end
local held = string.match(record, '^%d+')
redis.call('HDEL', KEYS[2], ARGV[2])
redis.call('HINCRBY', KEYS[4], 'open', -1)
if held ~= '0' then
  for i = 4, #KEYS do
    redis.call('HINCRBY', KEYS[i], 'held', '-' .. held)
    redis.call('HINCRBY', KEYS[i], 'uncertain', held)
  end
end
redis.call('HSET', KEYS[3], ARGV[2], '{"nano":' .. held .. ',' .. ARGV[3])
return 1
`);
