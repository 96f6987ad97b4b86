import { BLIP_FIELDS, BLIP_REFUSAL_LUA, BLIPS_LUA } from './blips.ts';

const FOUND_FIELDS = [
  ...'fr ft fi fo fm fk fx fq fg fAt fs wa wn wr ea en rAt sil sl slAt pr fu lo nr'.split(' '),
  ...BLIP_FIELDS,
];

/**
 * Limits that nobody has stated, found by the whole cluster from what a provider refuses; pieces of Lua for
 * {@link QUOTA_LUA}. They live in the pool's HASH beside the buckets, and `fk` scales all of them:
 *
 * - A pool of which nothing is known begins with a ramp (`fm` 1): FIRST calls per minute, more and more while they are
 *   used up and nothing is refused. Over UNLIMITED it is let go.
 * - The first refusal ends the ramp (`fm` 2). From then on the limit grows slowly while it is used up, faster where it is
 *   well below the last one that was refused (`fx`), and faster the longer nothing was refused (`fq`); each refusal takes
 *   a twentieth, or what the share of refused calls says.
 * - After a refusal the pool rests a moment and begins without a burst.
 * - A wait of seconds that the provider names tells the limit of its window: what it has let in since the last such wait,
 *   over the time until it lets calls in again.
 * - Limits in headers whose window nobody knows (`gr gt gi go`) are taken as those of a minute and then treated the same
 *   way, so a wrong one corrects itself.
 * - Refusals that come whatever the rate is lower no limit (see `blips.ts`).
 * - A refusal alone says little where few calls were let in: it puts no pool under THIN calls per minute, and the ramp continues
 *   from there. Where another follows, what was let in counts.
 * - When most calls are refused the pool falls silent (`sil`): after a wait that doubles up to a minute, one call looks
 *   whether others would be let in (`pr`), and the ramp begins again from half of what there was.
 *
 * Pool HASH: fr ft fi fo: found limits per minute · fm fk fx fq · fg: growth of a ramp · fAt: last growth · fs: moment of the
 * first refusal that made it · wa wn wr: calls granted and refused in the last seconds · ea en: calls granted since the
 * provider's last wait · rAt: last refusal that counted · sil sl slAt: present and last silence, and when it began · pr: when
 * the call was granted that looks · fu: when the limit was last used up · lo: until when another refusal is a repeated one
 * nr: refusals that counted since a call was answered
 */
export const FOUND_LUA = `
local FIRST, UNLIMITED, FORGOTTEN, IDLE = 3000, 600000, 86400000, 60000
local CUT_SHARE, KEEP, AFTER_RAMP = 0.95, 0.95, 0.45
-- Refusals this soon after one that counted are of calls that were granted before it.
local STRAGGLERS, NEXT_CUT = 500, 1000
local AFTER_BLIPS = 0.5
local WINDOW = 4000
local MOSTLY, MIN_REFUSED = 0.5, 4
-- A wait of so long is the rest of a window, more likely than not.
local NAMED_WINDOW = 5000
local REST = 500
-- A limit that nothing has used up for so long is taken for the rate that there was.
local UNUSED = 1500
-- One refusal alone puts no pool under so many calls per minute; another within REPEATED is believed.
local THIN, REPEATED, AFTER_THIN = 300, 60000, 0.34
-- So many cuts one after the other, and no call answered between them, tell of no rate.
local NOTHING_ELSE = 3
local FIRST_SILENCE, LONGEST_SILENCE, PROBE_LOST = 1000, 60000, 120000
local FOUND = {'fr', 'ft', 'fi', 'fo'}
local FOUND_FIELDS = {${FOUND_FIELDS.map((name) => `'${name}'`).join(', ')}}
${BLIPS_LUA}
-- All fields of a pool as numbers. was: what stands in Redis, so that only what changes is written.
local function readPool(pool)
  local f, was = {}, {}
  local fields = redis.call('HGETALL', pool)
  for i = 1, #fields, 2 do
    local number = tonumber(fields[i + 1])
    f[fields[i]], was[fields[i]] = number, number
  end
  f.was = was
  return f
end
-- Adds the fields that have changed, with their values.
local function changedFound(f, set)
  for _, name in ipairs(FOUND_FIELDS) do
    if f[name] and f[name] ~= f.was[name] then
      set[#set + 1] = name
      set[#set + 1] = string.format('%.5f', f[name])
    end
  end
end
local DROPPED_FIELDS = {'fr', 'ft', 'fi', 'fo', 'fm', 'fk', 'fx', 'fq', 'fg', 'fs', 'fh', 'hn', 'hr', 'bn', 'br', 'fb'}
local function dropFound(pool, f)
  redis.call('HDEL', pool, unpack(DROPPED_FIELDS))
  for _, name in ipairs(DROPPED_FIELDS) do f[name], f.was[name] = nil, nil end
end
local function startRamp(f, now, rate, growth)
  f.fm, f.fk, f.fr, f.fx, f.fq, f.fg, f.fAt = 1, 1, rate, 1, 0, growth, now
end
-- Before a call is granted: a start is a ramp, also after a minute in which nothing was asked; a day later all is forgotten.
local function beginFound(pool, f, now, isKnown)
  local idle = now - (f.fAt or 0)
  if f.fm and idle > FORGOTTEN then dropFound(pool, f) end
  if f.fm == 1 and isKnown then dropFound(pool, f) end
  if isKnown or f.fm == 2 then return end
  if not f.fm or (idle > IDLE and not f.sl) then startRamp(f, now, FIRST, 1.0) end
end
-- owed: milliseconds that the bucket lacks. Only a limit that is used up may grow.
local function growFound(f, now, owed, burst)
  if owed > burst / 4 then
    f.fu = now
    local ms = math.min(now - f.fAt, 15000)
    f.fq = (f.fq or 0) + ms
    local rate
    if f.fm == 1 then
      rate = f.fg
    elseif f.fk < 0.93 * f.fx then
      rate = 0.02
    else
      rate = math.min(0.1, 0.0005 * 2 ^ (math.max(0, f.fq - 20000) / 20000))
    end
    f.fk = f.fk * math.exp(rate * ms / 1000)
  end
  f.fAt = now
end
local function countGranted(f, now, cut)
  countCall(f, cut)
  if not f.wa then f.wa, f.wn, f.wr, f.wb = now, 0, 0, 0 end
  if now - f.wa > WINDOW then
    f.wn, f.wr, f.wb, f.wa = f.wn / 2, f.wr / 2, (f.wb or 0) / 2, now - WINDOW / 2
  end
  f.wn = f.wn + 1
  if not f.ea then f.ea, f.en = now, 0 end
  f.en = f.en + 1
end
-- A call was answered: where it was the one that looked, the pool wakes up, at half of what it was; where all before it
-- were refused, what they seemed to say of a limit was that the provider was away. Returns whether anything changed.
local function wakeFound(f, now)
  local hasWaited = (f.nr or 0) > 0
  if f.fm == 2 and (f.nr or 0) >= NOTHING_ELSE then
    f.fm, f.fg, f.fAt = 1, AFTER_THIN, now
    if f.fr then f.fk = math.max(f.fk, 60 / f.fr) end
  end
  if hasWaited then f.nr = 0 end
  if not f.pr or f.pr == 0 then return hasWaited end
  f.sil, f.pr, f.wn, f.wr, f.wa = 0, 0, 0, 0, now
  if f.fm then
    f.fm, f.fk, f.fg, f.fAt = 1, f.fk / 2, AFTER_THIN, now
    if f.fr then f.fk = math.max(f.fk, 60 / f.fr) end
  end
  return true
end
`;

/** What only a refusal asks for. */
export const FOUND_REFUSAL_LUA = `${BLIP_REFUSAL_LUA}
local function writeFound(pool, f)
  local set = {}
  changedFound(f, set)
  if #set > 0 then redis.call('HSET', pool, unpack(set)) end
end
-- A refusal alone: no lower than THIN, or where the pool was there already, a cut as any other.
local function keepThin(f, before, now)
  if not f.fr then return end
  local thin = THIN / f.fr
  local least = math.min(thin, (before or math.huge) * CUT_SHARE)
  if f.fk >= least then return end
  f.fk = least
  if least == thin then f.fm, f.fg, f.fAt = 1, AFTER_THIN, now else f.fx = before end
end
-- Returns for how long the pool is silent after this refusal, and whether it is one that says nothing of a limit.
local function refuseFound(f, now, named, isKnown, cut)
  if f.pr and f.pr > 0 then
    -- The call that looked was refused.
    f.sil, f.pr, f.wn, f.wr, f.wa = math.min(LONGEST_SILENCE, (f.sil or FIRST_SILENCE) * 2), 0, 0, 0, now
    f.sl, f.rAt = f.sil, now
    return math.max(f.sil, named)
  end
  if f.sil and f.sil > 0 then return 0 end
  if not f.wa then f.wa, f.wn, f.wr, f.wb = now, 0, 0, 0 end
  local verdict = judgeRefusal(f, now, cut, named)
  if verdict == 'found' and f.fm then f.fm, f.fg, f.fAt = 1, AFTER_BLIPS, now end
  if verdict ~= 'limit' then return 0, true, verdict end
  if now - (f.rAt or 0) < STRAGGLERS or now < (f.ea or 0) then return 0 end
  f.wr = f.wr + 1
  local share = math.min(1, f.wr / math.max(f.wn, 1))
  local mostly = f.wr >= MIN_REFUSED and share >= MOSTLY
  if not mostly and now - (f.rAt or 0) < NEXT_CUT then return 0 end
  beginSeries(f, now, cut)
  f.cAt, f.nr = now, (f.nr or 0) + 1
  local before, isAlone = f.fm and f.fk, now > (f.lo or 0)
  local letIn = math.max(0, f.wn - f.wr)
  if not f.fm and (not isKnown or (share >= 0.2 and f.wr >= MIN_REFUSED)) then
    f.fm, f.fk, f.fq, f.fAt, f.fs = 2, 1, 0, now, now
    f.fr = math.max(1, letIn) * 60000 / math.max(1000, now - f.wa)
    f.fx = KEEP
    f.fk = KEEP
  elseif f.fm == 1 then
    f.fm, f.fs = 2, now
    if now - (f.fu or 0) > UNUSED and f.fr then
      f.fk = math.min(f.fk, math.max(1, letIn) * 60000 / math.max(1000, now - f.wa) / f.fr)
    end
    -- The burst that a provider allows lets a ramp run far over its limit before it is refused.
    f.fx = f.fk * 0.6
    f.fk = f.fk * AFTER_RAMP
  elseif f.fm == 2 then
    f.fx = f.fk
    if share >= 0.1 then
      f.fx = f.fk * (1 - share / 2)
      f.fk = f.fk * math.max(0.25, 1 - share)
    end
    f.fk = CUT_SHARE * f.fk
  end
  f.fq = 0
  -- A little rest: a bucket that is empty, and emptier by each refusal where those count, would refuse the next calls too.
  local silent = f.fm and REST or 0
  if f.fm and named >= NAMED_WINDOW and (f.en or 0) > f.wr then
    local inWindow = (f.en - f.wr) * 60000 / math.max(1000, now + named - f.ea)
    if f.fr then
      f.fk = math.min(f.fk / CUT_SHARE, 0.98 * inWindow / f.fr)
      f.fx = inWindow / f.fr
    end
    mostly = false
    f.ea, f.en = now + named, 0
  elseif named >= NAMED_WINDOW then
    f.ea, f.en = now + named, 0
  end
  if f.fm and isAlone and not mostly then keepThin(f, before, now) end
  f.lo = now + named + REPEATED
  if mostly then
    local again = f.slAt and now - f.slAt < 2 * f.sl + 10000
    silent = again and math.min(LONGEST_SILENCE, f.sl * 2) or FIRST_SILENCE
    f.sil, f.sl, f.slAt = silent, silent, now
    f.pr = 0
  end
  f.wn, f.wr, f.wb, f.wa, f.rAt = 0, 0, 0, now, now
  return silent
end
`;
