import { QUOTA_LUA } from './quota.ts';
import { script } from './run-script.ts';

/**
 * Admission of the calls of one turn: for each the fence, a replay of a paid reply, a hold in every scope and the pool's
 * quota, or nothing at all. What they share is read once, they are decided one by one in their order, each against what
 * those before it have changed, and then all is written. Nothing is written before the last one is decided.
 *
 * KEYS  1 workers (ZSET)  2 limits (HASH)  3 pool (HASH)  4 holds of the worker (HASH)  then, in any order, what ARGV 1 names
 *       by number: fences, journals and totals of scopes (HASH)
 * ARGV  1 JSON of the turn, as `turns/admissions.ts` writes it:
 *         worker   its id
 *         slices   {key of the fence, slice, fence token, key of the journal}
 *         scopes   {key of the totals, name}
 *         kinds    what calls have in common: {slice, rest of the hold record, model, scopes, the batch first, limits of the pool};
 *                  without limits where nothing of a quota is asked
 *         calls    {kind, call id, call key, amount to hold (nano-dollars), input tokens, output tokens, what the hold
 *                  record says of it alone, as fields of a JSON object with a comma behind each, other call keys whose
 *                  replies answer the same question …}
 * Returns for each call: tenths of a millisecond to wait before it is sent, where it is admitted · {'replay', journal entry, its call key} ·
 *       {'fenced'} · {'lease_lost'} · {'refused', scope name, limit, settled, uncertain, held, what the call needs} ·
 *       {'wait', why, milliseconds}
 * Idempotent by call id, also when it is sent again after the lease has ended: the hold of the first time stands, or
 * is given back where the call is not to be made any more.
 * Amounts stay under 2^53, so Lua's numbers hold them exactly.
 */
export const ADMIT = script(`${QUOTA_LUA}
local turn = cjson.decode(ARGV[1])
local slices, scopes, kinds, calls = turn.slices, turn.scopes, turn.kinds, turn.calls
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local lease = redis.call('ZSCORE', KEYS[1], turn.worker)
local hasLease = lease and tonumber(lease) >= math.floor(now)

local ids = {}
for i, call in ipairs(calls) do ids[i] = call[2] end
local records = {}
for i, record in ipairs(redis.call('HMGET', KEYS[4], unpack(ids))) do records[ids[i]] = record end

local wanted, replies = {}, {}
for _, slice in ipairs(slices) do
  slice.isOwned = redis.call('HGET', KEYS[slice[1]], slice[2]) == slice[3]
  wanted[slice[4]], replies[slice[4]] = {}, {}
end
for _, call in ipairs(calls) do
  local keys = wanted[slices[kinds[call[1]][1]][4]]
  keys[#keys + 1] = call[3]
  for i = 8, #call do keys[#keys + 1] = call[i] end
end
for journal, keys in pairs(wanted) do
  if #keys > 0 then
    for i, reply in ipairs(redis.call('HMGET', KEYS[journal], unpack(keys))) do replies[journal][keys[i]] = reply end
  end
end

local names = {}
for _, scope in ipairs(scopes) do
  names[#names + 1] = 'set:' .. scope[2]
  names[#names + 1] = 'config:' .. scope[2]
end
local limits = redis.call('HMGET', KEYS[2], unpack(names))
for i, scope in ipairs(scopes) do
  local totals = redis.call('HMGET', KEYS[scope[1]], 'settled', 'uncertain', 'held')
  scope.limit = tonumber(limits[i * 2 - 1] or limits[i * 2])
  scope.settled, scope.uncertain, scope.held = tonumber(totals[1] or 0), tonumber(totals[2] or 0), tonumber(totals[3] or 0)
  scope.heldBefore, scope.opened = scope.held, 0
end
local pool
for _, kind in ipairs(kinds) do
  if kind[5] and not pool then pool = openPool(KEYS[3], now) end
end

local changed = {}
local function book(kind, id, record, amount, opened)
  records[id], changed[id] = record, true
  for _, number in ipairs(kind[4]) do scopes[number].held = scopes[number].held + amount end
  local batch = scopes[kind[4][1]]
  batch.opened = batch.opened + opened
end

local function findReply(call, journal)
  if journal[call[3]] then return journal[call[3]], call[3] end
  for i = 8, #call do
    if journal[call[i]] then return journal[call[i]], call[i] end
  end
end

-- Returns the answer of a scope that the amount does not fit, or whether any scope has a limit.
local function checkLimits(kind, amount)
  local isLimited = false
  for _, number in ipairs(kind[4]) do
    local scope = scopes[number]
    if scope.limit then
      isLimited = true
      if scope.settled + scope.uncertain + scope.held + amount > scope.limit then
        local answer = {'refused', scope[2]}
        for _, value in ipairs({scope.limit, scope.settled, scope.uncertain, scope.held, amount}) do
          answer[#answer + 1] = string.format('%.0f', value)
        end
        return answer
      end
    end
  end
  return nil, isLimited
end

local function admit(call)
  local kind, id, amount = kinds[call[1]], call[2], call[4]
  local slice, record = slices[kind[1]], records[id]
  local reply, key = findReply(call, replies[slice[4]])
  if not slice.isOwned or reply then
    if record then
      if pool then endQuota(pool, kind[3], record, {0, 0, 0, 0}) end
      book(kind, id, false, 0 - string.match(record, '^%d+'), -1)
    end
    if not slice.isOwned then return {'fenced'} end
    return {'replay', reply, key}
  end
  if record then return 0 end
  if not hasLease then return {'lease_lost'} end
  local mustProve = false
  if kind[5] and amount > 0 then
    local beyond
    beyond, mustProve = overrunOf(pool, kind[3])
    amount = amount + beyond
  end
  local refusal, isLimited = checkLimits(kind, amount)
  if refusal then return refusal end
  if isLimited and mustProve then return {'wait', 'proving', '50'} end
  local delay, mark = 0, ''
  if kind[5] then
    local why, milliseconds, cost = takeQuota(pool, kind[5], call[5], call[6])
    if why then return {'wait', why, string.format('%.0f', milliseconds)} end
    delay, mark = milliseconds, quotaMark(cost)
    openModel(pool, kind[3])
  end
  book(kind, id, string.format('%.0f|{"callKey":"%s",%s%s%s', amount, call[3], call[7], kind[2], mark), amount, 1)
  return math.floor(delay * 10 + 0.5)
end

local answers = {}
for i, call in ipairs(calls) do answers[i] = admit(call) end

local kept, gone = {}, {}
for id in pairs(changed) do
  if records[id] then
    kept[#kept + 1] = id
    kept[#kept + 1] = records[id]
  else
    gone[#gone + 1] = id
  end
end
if #gone > 0 then redis.call('HDEL', KEYS[4], unpack(gone)) end
if #kept > 0 then redis.call('HSET', KEYS[4], unpack(kept)) end
for _, scope in ipairs(scopes) do
  if scope.held ~= scope.heldBefore then
    redis.call('HINCRBY', KEYS[scope[1]], 'held', string.format('%.0f', scope.held - scope.heldBefore))
  end
  if scope.opened ~= 0 then redis.call('HINCRBY', KEYS[scope[1]], 'open', scope.opened) end
end
if pool then closePool(pool) end
return answers
`);
