/**
 * Refusals that are no quota: a provider that answers 429 to a small share of calls whatever their rate. Pieces of Lua for
 * {@link FOUND_LUA}.
 *
 * A quota refuses no more once the rate has fallen well below the one that it refused; a blip continues. So calls and refusals
 * are counted apart above and below LOW of the highest rate that was refused. Where the share below is small, and not
 * clearly less than the one above, it is the share of blips (`fb`). From then on only more refusals than that share explains
 * slow the pool down. A share that later calls below do not confirm is dropped, so a wrong guess corrects itself.
 *
 * Pool HASH: fh: scale of the highest rate that was refused in this series · hn hr: calls and refusals above · bn br: below, bl: bn at the last
 * refusal, bc: refusals that came with it · fb: share of blips · wb: all refusals of the last seconds · cAt: last refusal that slowed the pool down, cl:
 * whether the rate was below then
 */
export const BLIP_FIELDS = ['fh', 'hn', 'hr', 'bn', 'br', 'bl', 'bc', 'fb', 'wb', 'cAt', 'cl'];

export const BLIPS_LUA = `
local LOW, STATED_LOW = 0.75, 0.85
local ENOUGH_BLIPS, MIN_BLIPS, MAX_BLIPS, DROPPED = 3, 0.005, 0.1, 4
local TALLY = 800
-- Refusals with fewer calls between them are a bucket or a window that is used up: they count as one.
local APART = 5
-- A rate that nothing has refused for so long begins another series.
local SERIES = 20000
-- cut: how far a limit that is stated was lowered, nil or 1: not at all
local function isLow(f, cut)
  if f.fm then return f.fm == 2 and f.fh ~= nil and f.fk <= LOW * f.fh end
  return (cut or 1) <= STATED_LOW
end
local function countCall(f, cut)
  if not isLow(f, cut) then
    f.hn = (f.hn or 0) + 1
    if f.hn > TALLY then f.hn, f.hr = f.hn / 2, (f.hr or 0) / 2 end
    return
  end
  f.bn = (f.bn or 0) + 1
  if f.bn > TALLY then f.bn, f.br, f.bl = f.bn / 2, (f.br or 0) / 2, (f.bl or 0) / 2 end
  if f.bn * (f.fb or 0) > DROPPED * ((f.br or 0) + 1) then f.fb = 0 end
end
`;

/** What only a refusal asks for. */
export const BLIP_REFUSAL_LUA = `
local function forgetTally(f)
  f.hn, f.hr, f.bn, f.br = 0, 0, 0, 0
end
-- A refusal is counted where its call was made; one that comes with others counts with them. Returns whether it was below.
local function countRefusal(f, now, cut)
  f.wb = (f.wb or 0) + 1
  local isStraggler = now - (f.cAt or 0) < STRAGGLERS
  local low = isLow(f, cut)
  if not low or isStraggler then
    if not low or f.cl == 0 then f.hr = (f.hr or 0) + 1 end
    return false
  end
  local isAlone = not f.bl or math.abs((f.bn or 0) - f.bl) >= APART
  f.bl, f.bc = f.bn or 0, isAlone and 0 or (f.bc or 0) + 1
  if isAlone then f.br = (f.br or 0) + 1 end
  return true
end
-- 'blip': it says nothing of a limit · 'found': so do all of them, as this one shows · 'doubt': perhaps it is one
local function judgeRefusal(f, now, cut, named)
  local low = countRefusal(f, now, cut)
  if (f.fb or 0) > 0 then
    local expected = f.fb * (f.wn or 0)
    if f.wb <= 1.5 * expected + 3 * math.sqrt(expected) + 2 then return 'blip' end
    f.wr = math.max(f.wr or 0, f.wb - 1)
    return 'limit'
  end
  if not low or f.bc > 1 then return 'limit' end
  local above = (f.hr or 0) / math.max(1, f.hn or 0)
  local share = f.br / math.max(1, f.bn or 0)
  if f.br >= ENOUGH_BLIPS and f.bc == 0 and share >= MIN_BLIPS and share <= MAX_BLIPS and share >= above / 2 then
    f.fb = share
    return 'found'
  end
  if f.br < ENOUGH_BLIPS and above <= MAX_BLIPS and named < NAMED_WINDOW then return 'doubt' end
  return 'limit'
end
-- Before a refusal lowers the scale.
local function beginSeries(f, now, cut)
  f.cl = isLow(f, cut) and 1 or 0
  if not f.fm then return end
  if f.fm == 1 or not f.fh or (now - (f.cAt or 0) > SERIES and not isLow(f)) then
    f.fh = f.fk
    if f.fm ~= 1 then forgetTally(f) end
    -- The refusal that ended the higher rate was not drawn by chance.
    f.hr, f.bn, f.br = math.max(0, (f.hr or 0) - 1), 0, 0
  end
end
`;
