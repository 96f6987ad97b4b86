import { FULL_SLICE_TOKENS, HEAD_START_TOKENS, MANTISSA, TIME_UNIT } from '../../../batches/fair-share.ts';
import { script } from './run-script.ts';

/**
 * Reserves virtual time for slices of one flow that are about to be added to a queue. The present is read from the queue
 * itself: the end of the slice that is next. A head start counts from the first slice in hand. Slices whose job exists
 * already are not charged again.
 *
 * KEYS  1 fair flows (ZSET: flow -> end of its last slice, `now` -> the present, `front` -> end of the first slice in hand)
 *       2 producers that are adding (ZSET)
 *       3 prioritized (BullMQ, ZSET)  4 active (BullMQ, LIST)  5 delayed (BullMQ, ZSET)  6.. job of each slice (HASH)
 * ARGV  1 flow  2 span of a slice  3 head start  4 id of this reservation  5 milliseconds until it is taken for dead
 * Returns {start of the first new slice, one character a slice: 1 where its job exists}
 */
export const RESERVE_TURNS = script(`
local time = redis.call('TIME')
local ms = time[1] * 1000 + math.floor(time[2] / 1000)
local function score(key, member) return tonumber(redis.call('ZSCORE', key, member) or 0) end
local function timeAt(priority)
  local step = 2 ^ math.floor((priority - 1) / ${MANTISSA})
  return (((priority - 1) % ${MANTISSA} + ${MANTISSA}) * step - ${MANTISSA}) * ${TIME_UNIT}
end

redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ms)
local now = score(KEYS[1], 'now')
local front = score(KEYS[1], 'front')
local hand = redis.call('LRANGE', KEYS[4], 0, -1)
local head = redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')
if head[2] then
  now = math.max(now, timeAt(math.floor(tonumber(head[2]) / 4294967296)))
elseif redis.call('ZCARD', KEYS[2]) == 0 then
  if #hand == 0 and redis.call('ZCARD', KEYS[5]) == 0 then
    redis.call('DEL', KEYS[1])
    now = 0
    front = 0
  else
    -- Slices in progress may come back with their old priority, so time continues: everyone has been served so far.
    local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
    now = math.max(now, tonumber(last[2] or 0))
  end
end
-- Most of what is in hand has not begun, so whoever comes with a head start goes before it. A slice that takes very long holds
-- time back no further than a full slice each.
local first = now
local jobs = string.sub(KEYS[4], 1, -#'active' - 1)
for i = 1, #hand do
  local priority = tonumber(redis.call('HGET', jobs .. hand[i], 'priority') or 0)
  if priority > 0 then first = math.min(first, timeAt(priority)) end
end
front = math.max(front, first, now - #hand * ${FULL_SLICE_TOKENS})
-- Room for a head start from the very beginning.
front = math.max(front, ${HEAD_START_TOKENS})
now = math.max(now, front)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', front - ${HEAD_START_TOKENS}))
redis.call('ZADD', KEYS[1], string.format('%.0f', now), 'now', string.format('%.0f', front), 'front')

local known = {}
local added = 0
for i = 6, #KEYS do
  known[#known + 1] = redis.call('EXISTS', KEYS[i])
  if known[#known] == 0 then added = added + 1 end
end
local headStart = tonumber(ARGV[3])
local start = math.max(score(KEYS[1], ARGV[1]), headStart > 0 and front - headStart or now)
if added > 0 then
  -- Whole numbers are exact up to here.
  local finish = math.min(start + added * ARGV[2], 9007199254740992)
  redis.call('ZADD', KEYS[1], string.format('%.0f', finish), ARGV[1])
  redis.call('ZADD', KEYS[2], ms + ARGV[5], ARGV[4])
end
return {string.format('%.0f', start), table.concat(known)}
`);
