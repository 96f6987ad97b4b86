import { script } from './run-script.ts';

/**
 * Takes a slice: whoever had it before can neither commit nor spend from now on.
 *
 * KEYS  1 batch (HASH)  2 fence (HASH)
 * ARGV  1 slice
 * Returns {'owned', token} · {'done'} · {'gone'}: no such batch, or it takes no more work
 */
export const CLAIM_SLICE = script(`
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'queued' and state ~= 'running' then return {'gone'} end
local fence = redis.call('HGET', KEYS[2], ARGV[1])
if fence == 'done' then return {'done'} end
local token = redis.call('HINCRBY', KEYS[2], ARGV[1], 1)
if state == 'queued' then redis.call('HSET', KEYS[1], 'state', 'running') end
return {'owned', tostring(token)}
`);

/**
 * Commits a slice, once: its result counts, its journal leaves, its fence closes.
 *
 * KEYS  1 batch (HASH)  2 fence (HASH)  3 slices (HASH)  4 journal (HASH)  5 progress (HASH)  6 cost of what is begun (HASH)
 * ARGV  1 slice  2 fence token  3 JSON of the commit  4 journal entries that it counts
 *       5.. pairs of counter name and increment
 * Returns {'committed', slices left} · {'fenced'} · {'journal_changed'}: a reply was stored that the commit does not count
 * Idempotent: the same commit again (after a lost connection) is answered as the first time, also once sealed.
 */
export const COMMIT_SLICE = script(`
local fence = redis.call('HGET', KEYS[2], ARGV[1])
if redis.call('HGET', KEYS[3], ARGV[1]) == ARGV[3] then
  local batch = redis.call('HMGET', KEYS[1], 'slices', 'slicesCommitted')
  return {'committed', tostring(batch[1] - batch[2])}
end
if fence ~= ARGV[2] then return {'fenced'} end
if redis.call('HLEN', KEYS[4]) ~= tonumber(ARGV[4]) then return {'journal_changed'} end
redis.call('HSET', KEYS[3], ARGV[1], ARGV[3])
redis.call('HSET', KEYS[2], ARGV[1], 'done')
redis.call('UNLINK', KEYS[4])
redis.call('HDEL', KEYS[5], ARGV[1])
redis.call('HDEL', KEYS[6], ARGV[1])
for i = 5, #ARGV, 2 do
  if ARGV[i + 1] ~= '0' then redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
local committed = redis.call('HINCRBY', KEYS[1], 'slicesCommitted', 1)
return {'committed', tostring(redis.call('HGET', KEYS[1], 'slices') - committed)}
`);

/**
 * Ends the work on a batch: from here on nothing can be admitted, settled or committed, so its totals are final.
 *
 * KEYS  1 batch (HASH)  2 fence (HASH)  3 totals of the batch scope (HASH)  4 progress (HASH)  5 cost of what is begun (HASH)
 * Returns {'sealed'} · {'slices_left', n} · {'calls_open', n} · {'gone', state}
 */
export const SEAL_BATCH = script(`
local batch = redis.call('HMGET', KEYS[1], 'state', 'slices', 'slicesCommitted')
if batch[1] == 'finalizing' then return {'sealed'} end
if batch[1] ~= 'queued' and batch[1] ~= 'running' then return {'gone', batch[1] or 'unknown'} end
local left = tonumber(batch[2]) - tonumber(batch[3] or 0)
if left > 0 then return {'slices_left', tostring(left)} end
local open = tonumber(redis.call('HGET', KEYS[3], 'open') or 0)
if open > 0 then return {'calls_open', tostring(open)} end
redis.call('DEL', KEYS[2], KEYS[4], KEYS[5])
redis.call('HSET', KEYS[1], 'state', 'finalizing')
return {'sealed'}
`);

/**
 * Ends a batch that is sealed, and counts its parent again where it is a retry, all at once: its commits leave with its open
 * state, or stay with it. A server that has lost its memory meanwhile learns nothing of a batch that it does not know, since what is
 * left of one could not be recovered; one that has forgotten commits gets them again first.
 *
 * KEYS  1 batch (HASH)  2 its parent (HASH; the batch itself where it has none)  3 its commits (HASH)  4 open batches (SET)
 * ARGV  1 batch id  2 state  3 when (milliseconds)  4.. pairs of field and value of the parent
 * Returns 1 where it has ended, also before
 */
export const FINISH_BATCH = script(`
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'finalizing' then return state == ARGV[2] and 1 or 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[2], 'finishedAt', ARGV[3])
if #ARGV > 3 and redis.call('HEXISTS', KEYS[2], 'state') == 1 then redis.call('HSET', KEYS[2], unpack(ARGV, 4)) end
redis.call('UNLINK', KEYS[3])
redis.call('SREM', KEYS[4], ARGV[1])
return 1
`);

/**
 * Notes how far an open slice is. A report that comes after the commit, or from a former owner, is dropped: nobody would
 * clear it away.
 *
 * KEYS  1 fence (HASH)  2 progress (HASH)  3 cost of what is begun (HASH)
 * ARGV  1 slice  2 fence token  3 documents finished  4 what those that are not have cost, in nano-dollars
 */
export const REPORT_PROGRESS = script(`
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
  if ARGV[4] == '0' then redis.call('HDEL', KEYS[3], ARGV[1]) else redis.call('HSET', KEYS[3], ARGV[1], ARGV[4]) end
end
return 1
`);
