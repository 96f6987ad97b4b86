import { QUOTA_LUA } from './quota.ts';
import { script } from './run-script.ts';

/**
 * Settlement of one admitted call: its hold leaves every scope, what it cost is booked, and a paid reply goes into
 * the journal, all at once.
 *
 * KEYS  1 fence (HASH)  2 holds of the worker (HASH)  3 journal of the slice (HASH)  4 uncertain calls (HASH)
 *       5 pool (HASH)  6.. totals of each scope (HASH), the batch first
 * ARGV  1 slice  2 fence token  3 call id  4 call key  5 outcome: reply | released | uncertain
 *       6 cost (nano-dollars; for a reply)  7 journal entry (for a reply)  8 JSON for the list of uncertain calls
 *       10 what the reply cost beyond its output cap (nano-dollars)
 *       9 what became of the quota that it took: four shares with |, or empty
 * Returns {'settled'} · {'fenced'}: stored and booked, but the slice has a new owner · {'duplicate', journal entry}:
 *       another reply to this call is the one that counts, and this cost is booked as uncertain · {'orphaned'}: the
 *       slice or batch has ended without this reply, booked as uncertain · {'already'}: settled before
 *
 * A hold that a reaper has booked as uncertain in the meantime is found again by its call id and corrected, as long
 * as the batch has not ended. Money is booked even when the worker has lost its slice, since it was spent; whatever
 * no row will ever count is booked as uncertain, so that rows and ledger stay equal. A reply whose hold is unknown
 * (the server came back without its last second) is booked and journalled all the same.
 */
export const SETTLE = script(`${QUOTA_LUA}
local record = redis.call('HGET', KEYS[2], ARGV[3])
local fence = redis.call('HGET', KEYS[1], ARGV[1])
local listed = redis.call('HGET', KEYS[4], ARGV[3])
local held, booked = 0, 0
if record then
  held = tonumber(string.match(record, '^%d+'))
  redis.call('HDEL', KEYS[2], ARGV[3])
  redis.call('HINCRBY', KEYS[6], 'open', -1)
  local time = redis.call('TIME')
  endQuota(KEYS[5], record, quotaNumbers(ARGV[9]), ARGV[5], time[1] * 1000 + time[2] / 1000)
  if ARGV[5] == 'reply' and ARGV[9] ~= '' then noteReply(KEYS[5], record, tonumber(ARGV[10])) end
elseif listed then
  if not fence or ARGV[5] == 'uncertain' then return {'already'} end
elseif ARGV[5] ~= 'reply' or fence ~= ARGV[2] or redis.call('HEXISTS', KEYS[3], ARGV[4]) == 1 then
  return {'already'}
end
if listed then
  booked = tonumber(string.match(listed, '"nano":(%d+)'))
  redis.call('HDEL', KEYS[4], ARGV[3])
end
local status, stored = 'settled', nil
if ARGV[5] == 'reply' then
  if not fence or fence == 'done' then
    status = 'orphaned'
  elseif redis.call('HSETNX', KEYS[3], ARGV[4], ARGV[7]) == 0 then
    status = 'duplicate'
    stored = redis.call('HGET', KEYS[3], ARGV[4])
  elseif fence ~= ARGV[2] then
    status = 'fenced'
  end
end
local settled, uncertain = 0, 0
if ARGV[5] == 'uncertain' then
  uncertain = held
elseif status == 'orphaned' or status == 'duplicate' then
  uncertain = tonumber(ARGV[6])
elseif ARGV[5] == 'reply' then
  settled = tonumber(ARGV[6])
end
local changes = {}
if held ~= 0 then changes.held = string.format('%.0f', -held) end
if settled ~= 0 then changes.settled = string.format('%.0f', settled) end
if uncertain ~= booked then changes.uncertain = string.format('%.0f', uncertain - booked) end
for field, change in pairs(changes) do
  for i = 6, #KEYS do redis.call('HINCRBY', KEYS[i], field, change) end
end
if ARGV[5] == 'uncertain' or status == 'orphaned' or status == 'duplicate' then
  redis.call('HSET', KEYS[4], ARGV[3], '{"nano":' .. string.format('%.0f', uncertain) .. ',' .. ARGV[8])
end
if stored then return {status, stored} end
return {status}
`);
