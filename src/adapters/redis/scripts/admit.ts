import { QUOTA_LUA } from './quota.ts';
import { script } from './run-script.ts';

/**
 * Admission of one model call: the fence, a replay of a paid reply, a hold in every scope and the pool's quota, or
 * nothing at all.
 *
 * KEYS  1 workers (ZSET)  2 fence (HASH)  3 holds of the worker (HASH)  4 journal of the slice (HASH)
 *       5 limits (HASH)   6 pool (HASH)  7.. totals of each scope (HASH), the batch first
 * ARGV  1 worker id  2 slice  3 fence token  4 call id  5 call key  6 amount to hold (nano-dollars)
 *       7 rest of the hold record  8 what it asks of the pool, empty where nothing is limited
 *       9.. name of each scope, in the order of the keys, then other call keys whose replies answer the same question
 * Returns {'admitted', milliseconds to wait before it is sent} · {'replay', journal entry, its call key} · {'fenced'} ·
 *       {'lease_lost'} · {'refused', scope name, limit, settled, uncertain, held, what the call needs} · {'wait', why, milliseconds}
 * Idempotent by call id, also when it is sent again after the lease has ended: the hold of the first time stands, or
 * is given back where the call is not to be made any more.
 * Amounts stay under 2^53, so Lua's numbers hold them exactly.
 */
export const ADMIT = script(`${QUOTA_LUA}
local fenced = redis.call('HGET', KEYS[2], ARGV[2]) ~= ARGV[3]
local record = redis.call('HGET', KEYS[3], ARGV[4])
local key, reply = ARGV[5], redis.call('HGET', KEYS[4], ARGV[5])
for i = 9 + #KEYS - 6, #ARGV do
  if reply then break end
  key, reply = ARGV[i], redis.call('HGET', KEYS[4], ARGV[i])
end
if fenced or reply then
  if record then
    redis.call('HDEL', KEYS[3], ARGV[4])
    redis.call('HINCRBY', KEYS[7], 'open', -1)
    local held = string.format('%.0f', 0 - string.match(record, '^%d+'))
    endQuota(KEYS[6], record, {0, 0, 0, 0})
    for i = 7, #KEYS do redis.call('HINCRBY', KEYS[i], 'held', held) end
  end
  if fenced then return {'fenced'} end
  return {'replay', reply, key}
end
if record then return {'admitted', '0'} end
local lease = redis.call('ZSCORE', KEYS[1], ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
if not lease or tonumber(lease) < math.floor(now) then return {'lease_lost'} end
local amount = tonumber(ARGV[6])
local mustProve = false
if ARGV[8] ~= '' and amount > 0 then
  local beyond
  beyond, mustProve = overrunOf(KEYS[6], ARGV[7])
  amount = amount + beyond
end
local names = {}
for i = 9, 8 + #KEYS - 6 do
  names[#names + 1] = 'set:' .. ARGV[i]
  names[#names + 1] = 'config:' .. ARGV[i]
end
local limits = redis.call('HMGET', KEYS[5], unpack(names))
local isLimited = false
for i = 7, #KEYS do
  local limit = limits[(i - 7) * 2 + 1] or limits[(i - 7) * 2 + 2]
  if limit then
    isLimited = true
    local totals = redis.call('HMGET', KEYS[i], 'settled', 'uncertain', 'held')
    local settled, uncertain, held = tonumber(totals[1] or 0), tonumber(totals[2] or 0), tonumber(totals[3] or 0)
    if settled + uncertain + held + amount > tonumber(limit) then
      return {'refused', ARGV[i + 2], limit, totals[1] or '0', totals[2] or '0', totals[3] or '0', string.format('%.0f', amount)}
    end
  end
end
if isLimited and mustProve then return {'wait', 'proving', '50'} end
local delay, mark = 0, ''
if ARGV[8] ~= '' then
  local why, milliseconds, cost = takeQuota(KEYS[6], quotaNumbers(ARGV[8]), now)
  if why then return {'wait', why, string.format('%.0f', milliseconds)} end
  delay, mark = milliseconds, quotaMark(cost)
  openModel(KEYS[6], ARGV[7])
end
local held = string.format('%.0f', amount)
for i = 7, #KEYS do redis.call('HINCRBY', KEYS[i], 'held', held) end
redis.call('HINCRBY', KEYS[7], 'open', 1)
redis.call('HSET', KEYS[3], ARGV[4], held .. '|' .. ARGV[7] .. mark)
return {'admitted', string.format('%.1f', delay)}
`);
