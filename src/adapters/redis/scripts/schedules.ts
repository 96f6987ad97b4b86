import { script } from './run-script.ts';

/**
 * Notes what was decided on the slots of a schedule, once: whoever decided from another moment is refused.
 *
 * KEYS  1 schedule (HASH)  2 due (HASH)  3 records (HASH)
 * ARGV  1 seen until, as the caller read it, '' for never  2 seen until from now on
 *       3.. triples: slot, 'due' or 'missed', for a missed one the JSON of its record
 * Returns 1, or 0 where someone else was first
 */
export const ADVANCE_SCHEDULE = script(`
if (redis.call('HGET', KEYS[1], 'seenUntil') or '') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'seenUntil', ARGV[2])
for i = 3, #ARGV, 3 do
  if ARGV[i + 1] == 'missed' then redis.call('HSETNX', KEYS[3], ARGV[i], ARGV[i + 2])
  elseif redis.call('HEXISTS', KEYS[3], ARGV[i]) == 0 then redis.call('HSETNX', KEYS[2], ARGV[i], 'calendar') end
end
return 1
`);

/**
 * Makes a slot due by command.
 *
 * KEYS  1 due (HASH)  2 records (HASH)
 * ARGV  1 slot
 * Returns the record of a slot that has run, or nil where it is due now
 */
export const ADD_DUE_SLOT = script(`
local record = redis.call('HGET', KEYS[2], ARGV[1])
if record then
  if cjson.decode(record).outcome == 'submitted' then return record end
  redis.call('HDEL', KEYS[2], ARGV[1])
end
redis.call('HSETNX', KEYS[1], ARGV[1], 'command')
return false
`);

/**
 * Takes files for a due slot, all of them or none. What the slot had taken before stands, so a worker that was slow and
 * one that took over from it continue with the same files.
 *
 * KEYS  1 due (HASH)  2 chosen (HASH)  3 files (HASH)  4 contents (HASH)
 * ARGV  1 slot  2 JSON of the files  3 how many they are  4.. identity of each  then pairs of sha256 and name
 * Returns {'chosen', JSON} · {'gone'} · {'conflict'}
 */
export const CHOOSE_FILES = script(`
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return {'gone'} end
local before = redis.call('HGET', KEYS[2], ARGV[1])
if before then return {'chosen', before} end
local last = 3 + tonumber(ARGV[3])
for i = 4, last do
  if redis.call('HEXISTS', KEYS[3], ARGV[i]) == 1 then return {'conflict'} end
end
for i = last + 1, #ARGV, 2 do
  if redis.call('HEXISTS', KEYS[4], ARGV[i]) == 1 then return {'conflict'} end
end
for i = 4, last do redis.call('HSET', KEYS[3], ARGV[i], ARGV[1]) end
for i = last + 1, #ARGV, 2 do redis.call('HSET', KEYS[4], ARGV[i], ARGV[i + 1]) end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return {'chosen', ARGV[2]}
`);

/**
 * Gives back what a slot has taken.
 *
 * KEYS  1 chosen (HASH)  2 files (HASH)  3 contents (HASH)
 * ARGV  1 slot  2 how many files  3.. identity of each  then the sha256 of each content
 */
export const RELEASE_FILES = script(`
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
local last = 2 + tonumber(ARGV[2])
for i = 3, last do redis.call('HDEL', KEYS[2], ARGV[i]) end
for i = last + 1, #ARGV do redis.call('HDEL', KEYS[3], ARGV[i]) end
return 1
`);

/**
 * Ends a due slot, once, and keeps the newest records.
 *
 * KEYS  1 due (HASH)  2 records (HASH)  3 chosen (HASH)
 * ARGV  1 slot  2 JSON of the record  3 how many records are kept
 * Returns 1, or 0 where it was ended before
 */
export const FINISH_SLOT = script(`
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
local slots = redis.call('HKEYS', KEYS[2])
local surplus = #slots - tonumber(ARGV[3])
if surplus > 0 then
  table.sort(slots, function(a, b) return tonumber(a) < tonumber(b) end)
  for i = 1, surplus do redis.call('HDEL', KEYS[2], slots[i]) end
end
return 1
`);
