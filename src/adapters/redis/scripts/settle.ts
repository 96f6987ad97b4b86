import { OTHER_COUNTS } from '../hold-record.ts';
import { QUOTA_LUA } from './quota.ts';
import { script } from './run-script.ts';

/**
 * Settlement of the admitted calls of one turn: of each the hold leaves every scope, what it cost is booked, and a paid
 * reply goes into the journal, all at once. What they share is read once, they are decided one by one in their order, and
 * then all is written. Nothing is written before the last one is decided.
 *
 * KEYS  1 pool (HASH)  2 holds of the worker (HASH)  then, in any order, what ARGV 1 names by number: fences, journals, lists of
 *       uncertain calls and totals of scopes (HASH)
 * ARGV  1 JSON of the turn, as `turns/settlements.ts` writes it:
 *         pool     true where calls of it have asked for a quota
 *         slices   {key of the fence, slice, fence token, key of the journal, key of the uncertain calls}
 *         scopes   {key of the totals}
 *         kinds    what calls have in common: {slice, what the list of uncertain calls says of it, as the middle of a JSON object,
 *                  model, scopes, the batch first}
 *         calls    {kind, call id, call key, outcome: 'reply' | 'released' | 'uncertain', cost (nano-dollars; for a reply), number of
 *                  its journal entry in ARGV (for a reply) or 0, for the list of uncertain calls its document or -1, its moment or -1,
 *                  its request id or 0 and the reason or 0, what the reply cost beyond its output cap (nano-dollars), keys of the same
 *                  question to other providers or 0, and, of calls with a quota, what became of it: four shares}
 *       2.. journal entries
 * Returns for each call: 0, settled or settled before · {'fenced'}: stored and booked, but the slice has a new owner ·
 *       {'duplicate', journal entry, its call key}: another reply to this question is the one that counts, and this cost is booked
 *       as uncertain ·
 *       {'orphaned'}: the slice or batch has ended without this reply, booked as uncertain
 *
 * A hold that a reaper has booked as uncertain in the meantime is found again by its call id and corrected, as long
 * as the batch has not ended. Money is booked even when the worker has lost its slice, since it was spent; whatever
 * no row will ever count is booked as uncertain, so that rows and ledger stay equal. A reply whose hold is unknown
 * (the server came back without its last second) is booked and journalled all the same.
 */
export const SETTLE = script(`${QUOTA_LUA}
local OTHER_COUNTS = '${OTHER_COUNTS}'
local turn = cjson.decode(ARGV[1])
local slices, scopes, kinds, calls = turn.slices, turn.scopes, turn.kinds, turn.calls

-- Fields of hashes that calls name: read together, changed by one call after the other, written together.
local hashes = {}
local function hashAt(key)
  local hash = hashes[key]
  if not hash then
    hash = {fields = {}, values = {}, changed = {}}
    hashes[key] = hash
  end
  return hash
end
local function want(key, field)
  local fields = hashAt(key).fields
  fields[#fields + 1] = field
end
local function get(key, field) return hashAt(key).values[field] end
local function put(key, field, value)
  local hash = hashAt(key)
  hash.values[field], hash.changed[field] = value, true
end

-- Most batches have no uncertain calls to look for.
for _, slice in ipairs(slices) do slice.hasUncertain = redis.call('HLEN', KEYS[slice[5]]) > 0 end
for _, call in ipairs(calls) do
  local slice = slices[kinds[call[1]][1]]
  want(2, call[2])
  if slice.hasUncertain then want(slice[5], call[2]) end
  if call[4] == 'reply' then
    want(slice[4], call[3])
    if call[12] ~= 0 then
      for _, other in ipairs(call[12]) do want(slice[4], other) end
    end
  end
end
for key, hash in pairs(hashes) do
  for i, value in ipairs(redis.call('HMGET', KEYS[key], unpack(hash.fields))) do hash.values[hash.fields[i]] = value end
end
for _, slice in ipairs(slices) do slice.fence = redis.call('HGET', KEYS[slice[1]], slice[2]) end
for _, scope in ipairs(scopes) do
  -- Also proves that it can be written to.
  redis.call('HLEN', KEYS[scope[1]])
  scope.held, scope.settled, scope.uncertain, scope.open = 0, 0, 0, 0
end
local pool
if turn.pool then
  local time = redis.call('TIME')
  pool = openPool(KEYS[1], time[1] * 1000 + time[2] / 1000)
end

-- Takes the hold back. Returns its amount.
local function release(kind, id, record, outcome, beyond, uses)
  put(2, id, false)
  local batch = scopes[kind[4][1]]
  batch.open = batch.open - 1
  if pool then
    endQuota(pool, kind[3], record, uses, outcome)
    if uses and outcome == 'reply' then noteReply(pool, kind[3], beyond) end
  end
  return tonumber(string.match(record, '^%d+'))
end

local function store(slice, key, entry, others)
  if not slice.fence or slice.fence == 'done' then return {'orphaned'} end
  local stored = get(slice[4], key)
  if stored then return {'duplicate', stored, key} end
  if others ~= 0 then
    for _, other in ipairs(others) do
      stored = get(slice[4], other)
      if stored then return {'duplicate', stored, other} end
    end
  end
  put(slice[4], key, ARGV[entry])
  return slice.fence == slice[3] and 0 or {'fenced'}
end

-- The list's JSON object. Only few calls need it, so the others do not send it.
local function listing(nano, middle, document, at, requestId, reason)
  local json = string.format('{"nano":%.0f,', nano) .. middle .. ','
  if document >= 0 then json = json .. string.format('"document":%.0f,', document) end
  if at >= 0 then json = json .. string.format('"at":%.0f,', at) end
  if requestId ~= 0 then json = json .. '"requestId":' .. cjson.encode(requestId) .. ',' end
  return json .. '"reason":' .. cjson.encode(reason ~= 0 and reason or OTHER_COUNTS) .. '}'
end

local function settle(call)
  local number, id, key, outcome, cost, entry, document, at, requestId, reason, beyond, others, uses = unpack(call)
  local kind = kinds[number]
  local slice = slices[kind[1]]
  local record, listed = get(2, id), get(slice[5], id)
  local held, booked = 0, 0
  if record then
    held = release(kind, id, record, outcome, beyond, uses)
  elseif listed then
    if not slice.fence or outcome == 'uncertain' then return 0 end
  elseif outcome ~= 'reply' or slice.fence ~= slice[3] or get(slice[4], key) then
    return 0
  end
  if listed then
    booked = tonumber(string.match(listed, '"nano":(%d+)'))
    put(slice[5], id, false)
  end
  local answer = 0
  if outcome == 'reply' then answer = store(slice, key, entry, others) end
  local isLost = answer ~= 0 and (answer[1] == 'orphaned' or answer[1] == 'duplicate')
  local settled, uncertain = 0, 0
  if outcome == 'uncertain' then
    uncertain = held
  elseif isLost then
    uncertain = cost
  elseif outcome == 'reply' then
    settled = cost
  end
  if outcome == 'uncertain' or isLost then
    put(slice[5], id, listing(uncertain, kind[2], document, at, requestId, reason))
  end
  for _, each in ipairs(kind[4]) do
    local scope = scopes[each]
    scope.held, scope.settled, scope.uncertain = scope.held - held, scope.settled + settled, scope.uncertain + uncertain - booked
  end
  return answer
end

local answers = {}
for i, call in ipairs(calls) do answers[i] = settle(call) end

for key, hash in pairs(hashes) do
  local kept, gone = {}, {}
  for field in pairs(hash.changed) do
    if hash.values[field] then
      kept[#kept + 1] = field
      kept[#kept + 1] = hash.values[field]
    else
      gone[#gone + 1] = field
    end
  end
  if #gone > 0 then redis.call('HDEL', KEYS[key], unpack(gone)) end
  if #kept > 0 then redis.call('HSET', KEYS[key], unpack(kept)) end
end
for _, scope in ipairs(scopes) do
  for _, field in ipairs({'held', 'settled', 'uncertain', 'open'}) do
    if scope[field] ~= 0 then redis.call('HINCRBY', KEYS[scope[1]], field, string.format('%.0f', scope[field])) end
  end
end
if pool then closePool(pool) end
return answers
`);
