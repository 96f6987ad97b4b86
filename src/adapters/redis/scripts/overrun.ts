/**
 * What replies have cost beyond their output cap, by model, as pieces of Lua: some servers bill thinking that no cap bounds.
 * The first such reply raises the hold of every later call of that model in the cluster, in the step that settles it. A model
 * whose obedience is not known starts with few calls at once, and each reply opens more, so that little is in flight before
 * the first one tells.
 *
 * Pool HASH: over:<model>: most beyond a cap so far, nano-dollars · kept:<model>: replies settled · at:<model>: calls in flight
 */
export const OVERRUN_LUA = `
local FIRST_CALLS, OPENED_BY_EACH, PROVEN = 4, 2, 200
local function modelOf(record) return string.match(record, '"model":"([^"]*)"') or '' end
-- Returns what is held on top, and whether the model must prove itself before another call.
local function overrunOf(pool, record)
  local model = modelOf(record)
  local s = redis.call('HMGET', pool, 'over:' .. model, 'kept:' .. model, 'at:' .. model)
  local kept, open = tonumber(s[2] or 0), tonumber(s[3] or 0)
  return tonumber(s[1] or 0), kept < PROVEN and open >= FIRST_CALLS + OPENED_BY_EACH * kept
end
local function openModel(pool, record) redis.call('HINCRBY', pool, 'at:' .. modelOf(record), 1) end
local function closeModel(pool, record)
  local field = 'at:' .. modelOf(record)
  if tonumber(redis.call('HGET', pool, field) or 0) > 0 then redis.call('HINCRBY', pool, field, -1) end
end
local function noteReply(pool, record, beyond)
  local model = modelOf(record)
  redis.call('HINCRBY', pool, 'kept:' .. model, 1)
  if beyond > tonumber(redis.call('HGET', pool, 'over:' .. model) or 0) then
    redis.call('HSET', pool, 'over:' .. model, string.format('%.0f', beyond))
  end
end
`;
