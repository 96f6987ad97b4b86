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
-- q: a pool that quota.ts has opened; each model that is asked for is kept with it.
local function readModel(q, name)
  local m = q.models[name]
  if not m then
    m = {over = q.v['over:' .. name] or 0, kept = q.v['kept:' .. name] or 0, at = q.v['at:' .. name] or 0}
    m.was = {over = m.over, kept = m.kept, at = m.at}
    q.models[name] = m
  end
  return m
end
-- Returns what is held on top, and whether the model must prove itself before another call.
local function overrunOf(q, name)
  local m = readModel(q, name)
  return m.over, m.kept < PROVEN and m.at >= FIRST_CALLS + OPENED_BY_EACH * m.kept
end
local function openModel(q, name)
  local m = readModel(q, name)
  m.at = m.at + 1
end
local function closeModel(q, name)
  local m = readModel(q, name)
  m.at = math.max(0, m.at - 1)
end
local function noteReply(q, name, beyond)
  local m = readModel(q, name)
  m.kept, m.over = m.kept + 1, math.max(m.over, beyond)
end
local function changedModels(q, set)
  for name, m in pairs(q.models) do
    for field, was in pairs(m.was) do
      if m[field] ~= was then
        set[#set + 1] = field .. ':' .. name
        set[#set + 1] = string.format('%.0f', m[field])
      end
    end
  end
end
`;
