import type { QuotaReport } from '../../../ledger/ledger.ts';
import type { QuotaNeed, QuotaUse } from '../../../ledger/quota-need.ts';
import { FOUND_LUA, FOUND_REFUSAL_LUA } from './found-limit.ts';
import { OVERRUN_LUA } from './overrun.ts';
import { script } from './run-script.ts';

/**
 * The provider quota of a pool, as pieces of Lua for the scripts that take and give back.
 *
 * Each limited dimension (requests, all tokens, input, output; per minute) is a continuous token bucket, kept as the
 * moment at which it will be full again ("theoretical arrival time" of the generic cell rate algorithm, ITU-T I.371).
 * A call of `c` milliseconds' worth starts at `full - max(0, BURST - c)`, so it may be granted a little ahead of its
 * start: the answer says how long to wait. Grants go by arrival in the whole cluster, large calls beside small ones, and
 * at most BURST milliseconds ahead, which is what a killed worker can take with it.
 *
 * Providers are known to allow one second of burst. We use BURST of it and leave the rest for the unequal time that
 * requests take to arrive there. BASE of the limit is used, less after a refusal: `cut` falls to CUT of itself, at most
 * once in CUT_EVERY milliseconds, and heals by HEAL a millisecond (additive increase, multiplicative decrease).
 *
 * A server's clock that is set back, or a replica's that is behind, would make every moment here a long wait: whoever
 * finds the last entry in the future forgets them, which costs one burst.
 *
 * Pool HASH: r t i o: when each bucket is full, milliseconds of the server's clock · open: calls in flight · after: no
 * call before this moment · cut, cutAt · at: the last entry · sr st si so: limits that the provider's headers have named
 * · day, dr, dt: today's number in the provider's time zone, requests and tokens · and what `found-limit.ts` keeps
 */
export const BURST_MS = 400;

export const QUOTA_LUA = `${FOUND_LUA}${OVERRUN_LUA}
local BURST, BASE, CUT, CUT_EVERY, HEAL, DAY = ${BURST_MS}, 0.99, 0.95, 2000, 0.000002, 86400000
-- No call takes longer under a limit that only headers have named: they may slow us down, but a wrong one stops nothing.
local MAX_SEEN = 60000 - BURST
local SILENT_POLL = 500
local FIELDS, SEEN = {'r', 't', 'i', 'o'}, {'sr', 'st', 'si', 'so'}
-- More than two clocks that are kept in step can differ by.
local CLOCK_STEP = 1000
local function forgetFuture(pool, at, now)
  if tonumber(at or 0) <= now + CLOCK_STEP then return false end
  return redis.call('HDEL', pool, 'r', 't', 'i', 'o', 'after', 'cut', 'cutAt', 'at', 'wa', 'wn', 'wr', 'ea', 'en', 'rAt', 'sil', 'sl', 'slAt', 'pr', 'fAt', 'lo') > 0
end
local POOL_FORMATS = {r = '%.3f', t = '%.3f', i = '%.3f', o = '%.3f', open = '%.0f', day = '%.0f', dr = '%.0f', dt = '%.0f', at = '%.0f'}
-- A pool as it stands: read once, changed by one call after the other, written once by closePool.
-- v, f: all its fields, for those that this file, found-limit.ts and overrun.ts keep · models: what overrun.ts has looked at ·
-- bounds: what takeQuota has found to be limited
local function openPool(pool, now)
  local fields = readPool(pool)
  if forgetFuture(pool, fields.at, now) then fields = readPool(pool) end
  return {pool = pool, now = now, v = fields, f = fields, was = fields.was, models = {}, bounds = {}, writesFound = false}
end
local function closePool(q)
  local set = {}
  for name, format in pairs(POOL_FORMATS) do
    if q.v[name] and q.v[name] ~= q.was[name] then
      set[#set + 1] = name
      set[#set + 1] = string.format(format, q.v[name])
    end
  end
  if q.writesFound then changedFound(q.f, set) end
  changedModels(q, set)
  if #set > 0 then redis.call('HSET', q.pool, unpack(set)) end
end
-- Which dimensions a call with the limits n waits for: the same for all calls of a turn.
local function boundsOf(q, n)
  local bounds, v, f = q.bounds[n], q.v, q.f
  if bounds then
    beginFound(q.pool, f, q.now, bounds.isKnown)
    return bounds
  end
  bounds = {isKnown = false}
  for d = 1, 4 do if n[d] > 0 or (v[SEEN[d]] or 0) > 0 then bounds.isKnown = true end end
  beginFound(q.pool, f, q.now, bounds.isKnown)
  for d = 1, 4 do
    if n[d] > 0 or (v[SEEN[d]] or 0) > 0 or (f[FOUND[d]] or 0) > 0 then bounds[#bounds + 1] = d end
  end
  q.bounds[n] = bounds
  return bounds
end
-- n: 1-4 limits per minute, 5 calls at once, 6 requests per day, 7 tokens per day; 0: no limit; 8 milliseconds by which the
-- provider's day is ahead of UTC
-- Returns why it has to wait and how long, or nil, the delay until its start and what each dimension costs in ms.
local function takeQuota(q, n, input, output)
  local v, f, now = q.v, q.f, q.now
  local after = v.after or 0
  if after > now + BURST then return 'asked', after - now end
  local open = v.open or 0
  if n[5] > 0 and open >= n[5] then return 'concurrency', 50 end
  local today = math.floor((now + n[8]) / DAY)
  local dr, dt = 0, 0
  if v.day == today then dr, dt = v.dr or 0, v.dt or 0 end
  local tokens = input + output
  if (n[6] > 0 and dr + 1 > n[6]) or (n[7] > 0 and dt + tokens > n[7] and (dt > 0 or tokens <= n[7])) then
    return 'day', (today + 1) * DAY - n[8] - now
  end
  local isProbe = f.sil and f.sil > 0
  if isProbe and f.pr and f.pr > 0 and now - f.pr < PROBE_LOST then return 'asked', SILENT_POLL end
  local bounds = boundsOf(q, n)
  local share = BASE
  if v.cut then share = BASE * math.min(1, v.cut + (now - v.cutAt) * HEAL) end
  local amounts = {1, tokens, input, output}
  local start, wait, owed, cost = math.max(now, after), 0, 0, {0, 0, 0, 0}
  for _, d in ipairs(bounds) do
    local limit = n[d] * share
    local seen = (v[SEEN[d]] or 0) * share
    local found = (f[FOUND[d]] or 0) * (f.fk or 0)
    local full = v[FIELDS[d]] or 0
    local most = math.huge
    if seen > 0 and (limit == 0 or seen < limit) then limit, most = seen, MAX_SEEN end
    if found > 0 and (limit == 0 or found < limit) then
      limit, most = found, MAX_SEEN
      owed = math.max(owed, full - now)
      if f.fm == 1 and limit > UNLIMITED then limit = 0 end
    end
    if limit > 0 then
      cost[d] = math.min(most, amounts[d] * 60000 / limit)
      if full > now + BURST then wait = math.max(wait, full - now - BURST / 2) end
      start = math.max(start, full - math.max(0, BURST - cost[d]))
    end
  end
  if wait > 0 and not isProbe then return 'rate', wait end
  if isProbe then
    start, f.pr = math.max(now, after), now
  end
  if f.fm then growFound(f, now, owed, BURST) end
  countGranted(f, now, v.cut or 1)
  q.writesFound = true
  v.open, v.at = open + 1, math.floor(now)
  for _, d in ipairs(bounds) do
    if cost[d] > 0 then v[FIELDS[d]] = math.max(v[FIELDS[d]] or 0, start) + cost[d] end
  end
  if n[6] > 0 or n[7] > 0 then
    v.day, v.dr, v.dt = today, dr + 1, dt + tokens
    cost[5], cost[6] = today, tokens
  end
  return nil, start - now, cost
end
-- The costs as they stand at the end of a hold record; where the day is limited, with its number and the tokens taken.
local function quotaMark(cost)
  local mark = '|'
  for d = 1, 4 do mark = mark .. (d > 1 and ':' or '') .. (cost[d] == 0 and '0' or string.format('%.3f', cost[d])) end
  if cost[5] then mark = mark .. string.format(':%.0f:%.0f', cost[5], cost[6]) end
  return mark
end
-- Characters from the end of a record: of most marks, and of any.
local USUAL_MARK, LONGEST_MARK = -60, -160
local MARK = '}|([%d.]+):([%d.]+):([%d.]+):([%d.]+):?(%d*):?(%d*)$'
-- uses: what each dimension turned out to be, as a share of what was taken; nil: the call ended, nothing comes back.
-- outcome: what SETTLE knows of it
local function endQuota(q, model, record, uses, outcome)
  local v, f = q.v, q.f
  if outcome == 'reply' then
    if wakeFound(f, q.now) then q.writesFound = true end
  elseif outcome == 'uncertain' or (uses and uses[1] == 0) then
    -- Perhaps the one that should have looked: another one does.
    if (f.pr or 0) > 0 then f.pr, q.writesFound = 0, true end
  end
  local c = {string.match(record, MARK, USUAL_MARK)}
  if not c[1] then c = {string.match(record, MARK, LONGEST_MARK)} end
  if not c[1] then return end
  closeModel(q, model)
  if (v.open or 0) > 0 then v.open = v.open - 1 end
  if not uses then return end
  for d = 1, 4 do
    local field, taken = FIELDS[d], c[d]
    if taken ~= '0' and v[field] then v[field] = v[field] - taken * (1 - uses[d]) end
  end
  if c[5] ~= '' and v.day == tonumber(c[5]) then
    v.dr = v.dr - 1 + uses[1]
    v.dt = math.max(0, v.dt - math.floor(c[6] * (1 - uses[2]) + 0.5))
  end
end
`;

/**
 * What a provider said about its limits.
 *
 * KEYS  1 pool (HASH)
 * ARGV  1 it refused a call: 1 or 0  2 milliseconds that it asked everyone to wait  3-6 limits per minute that its headers
 *       named (requests, tokens, input, output), 0 for none  7-10 the same of limits whose window is not known
 *       11 the config states limits per minute: 1 or 0
 * Returns 1 where the refusal says nothing of a limit, so that nobody else need wait; else 0.
 */
export const QUOTA_FEEDBACK = script(`${QUOTA_LUA}${FOUND_REFUSAL_LUA}
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
forgetFuture(KEYS[1], redis.call('HGET', KEYS[1], 'at'), now)
local s = redis.call('HMGET', KEYS[1], 'after', 'cut', 'cutAt', 'sr', 'st', 'si', 'so', 'gr', 'gt', 'gi', 'go')
local f = readPool(KEYS[1])
local set = {'at', string.format('%.0f', now)}
local isKnown = ARGV[11] == '1'
for d = 1, 4 do if s[3 + d] then isKnown = true end end
local wait = tonumber(ARGV[2])
local guessed = false
for i, field in ipairs({'sr', 'st', 'si', 'so'}) do
  if ARGV[2 + i] ~= '0' then
    set[#set + 1] = field
    set[#set + 1] = ARGV[2 + i]
    -- A limit that is stated is no guess any more.
    if f.fm then dropFound(KEYS[1], f) end
    isKnown = true
  end
end
for i, field in ipairs({'gr', 'gt', 'gi', 'go'}) do
  if ARGV[6 + i] ~= '0' and s[7 + i] ~= ARGV[6 + i] and not isKnown then
    set[#set + 1] = field
    set[#set + 1] = ARGV[6 + i]
    if not guessed then dropFound(KEYS[1], f) end
    guessed = true
    f[FOUND[i]] = tonumber(ARGV[6 + i])
    f.fm, f.fk, f.fx, f.fq, f.fAt, f.fs, f.rAt = 2, 0.97, 1, 0, now, now, now
  end
end
local isBlip = false
if ARGV[1] == '1' and not guessed then
  local cutAt = tonumber(s[3] or 0)
  local silent, blip, verdict = refuseFound(f, now, wait, isKnown, tonumber(s[2] or 1))
  isBlip = blip == true
  if isBlip then
    wait = 0
    if verdict == 'found' then redis.call('HDEL', KEYS[1], 'cut', 'cutAt') end
  elseif now - cutAt >= CUT_EVERY then
    local cut = math.min(1, tonumber(s[2] or 1) + (now - cutAt) * HEAL)
    for _, v in ipairs({'cut', string.format('%.4f', math.max(0.2, cut * CUT)), 'cutAt', string.format('%.0f', now)}) do
      set[#set + 1] = v
    end
  end
  wait = math.max(wait, silent or 0)
end
writeFound(KEYS[1], f)
if now + wait > tonumber(s[1] or 0) then
  set[#set + 1] = 'after'
  set[#set + 1] = string.format('%.0f', now + wait)
  -- Nobody waits for a starting gun: what comes after the wait comes at the pool's pace, without a burst.
  for _, field in ipairs(FIELDS) do
    local full = redis.call('HGET', KEYS[1], field)
    if full and wait > BURST and tonumber(full) < now + wait + BURST then
      set[#set + 1] = field
      set[#set + 1] = string.format('%.0f', now + wait + BURST)
    end
  end
end
redis.call('HSET', KEYS[1], unpack(set))
return isBlip and 1 or 0
`);

/** Limits as {@link QUOTA_LUA}'s `takeQuota` reads them. */
export function limitNumbers({ limits, dayOffsetMs }: QuotaNeed): readonly number[] {
  return [
    limits.requestsPerMinute ?? 0,
    limits.tokensPerMinute ?? 0,
    limits.inputTokensPerMinute ?? 0,
    limits.outputTokensPerMinute ?? 0,
    limits.concurrency ?? 0,
    limits.requestsPerDay ?? 0,
    limits.tokensPerDay ?? 0,
    dayOffsetMs ?? 0,
  ];
}

/** Shares as {@link QUOTA_LUA}'s `endQuota` reads them, to four decimals. */
export function useNumbers({ requests, tokens, input, output }: QuotaUse): readonly number[] {
  return [requests, tokens, input, output].map((share) => Math.round(share * 10_000) / 10_000);
}

/** The arguments of {@link QUOTA_FEEDBACK}. */
export function encodeReport(report: QuotaReport): readonly number[] {
  const { refused = false, waitMs = 0, limits = {}, guesses = {}, isStated = false } = report;
  const four = (named: NonNullable<QuotaReport['limits']>) => [
    named.requestsPerMinute ?? 0,
    named.tokensPerMinute ?? 0,
    named.inputTokensPerMinute ?? 0,
    named.outputTokensPerMinute ?? 0,
  ];
  return [refused ? 1 : 0, Math.round(waitMs), ...four(limits), ...four(guesses), isStated ? 1 : 0];
}

/** What {@link QUOTA_FEEDBACK} returned. */
export function isBlip(answer: unknown): { readonly isBlip: boolean } {
  return { isBlip: answer === 1 };
}
