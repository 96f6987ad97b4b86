import { script } from './run-script.ts';

/**
 * Posts one call again after the server has forgotten its last writes. Does nothing where the call is still known, so
 * it may be repeated. Where the slice has another owner by now, the money is booked all the same: a reply is there for
 * that owner, or, where it has bought another one meanwhile, uncertain at its cost.
 *
 * KEYS  1 batch (HASH)  2 fence (HASH)  3 holds of the worker (HASH)  4 journal of the slice (HASH)
 *       5 uncertain calls (HASH)  6.. totals of each scope (HASH), the batch first
 * ARGV  1 slice  2 fence token  3 call id  4 call key  5 what it was: held | reply | uncertain
 *       6 amount (nano-dollars)  7 hold record without its amount (held), journal entry (reply) or JSON for the list
 *       (uncertain)  8 the same JSON for a reply whose place another one has taken; else empty
 * Returns 1 where it was posted again, 0 where it was known, its batch has ended, or it is a reply to a slice that is
 * committed: the commit took the journal with it, so nobody can see any more whether the reply was there
 */
export const RESTORE = script(`
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'queued' and state ~= 'running' then return 0 end
local fence = redis.call('HGET', KEYS[2], ARGV[1])
if redis.call('HEXISTS', KEYS[3], ARGV[3]) == 1 or redis.call('HEXISTS', KEYS[5], ARGV[3]) == 1 then return 0 end
local kind, record = ARGV[5], ARGV[7]
if kind == 'reply' then
  local stored = redis.call('HGET', KEYS[4], ARGV[4])
  if fence == 'done' or stored == record then return 0 end
  if stored then kind, record = 'uncertain', ARGV[8] end
end
if not fence or (fence ~= 'done' and tonumber(fence) < tonumber(ARGV[2])) then
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
end
local field = 'held'
if kind == 'held' then
  redis.call('HSET', KEYS[3], ARGV[3], ARGV[6] .. '|' .. record)
  redis.call('HINCRBY', KEYS[6], 'open', 1)
elseif kind == 'reply' then
  field = 'settled'
  redis.call('HSET', KEYS[4], ARGV[4], record)
else
  field = 'uncertain'
  redis.call('HSET', KEYS[5], ARGV[3], '{"nano":' .. ARGV[6] .. ',' .. record)
end
if ARGV[6] ~= '0' then
  for i = 6, #KEYS do redis.call('HINCRBY', KEYS[i], field, ARGV[6]) end
end
return 1
`);
