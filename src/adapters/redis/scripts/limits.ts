import { script } from './run-script.ts';

/**
 * Takes limits over from the config. A limit that a command has set outranks every config. At once, so that no call is
 * admitted under a limit that nobody has stated.
 *
 * KEYS  1 limits (HASH)  2 format
 * ARGV  1 'replace': this config is the one that counts; 'fill': it only states what no config has stated yet
 *       2 our format  3… pairs of scope name and limit, empty for none
 * Returns the names whose limit in Redis was another one; with 'fill' these were left alone.
 */
export const APPLY_CONFIG_LIMITS = script(`
local differ = {}
for i = 3, #ARGV, 2 do
  local name, wanted = ARGV[i], ARGV[i + 1]
  local known = redis.call('HGET', KEYS[1], 'config:' .. name) or ''
  if known ~= wanted then
    if known ~= '' then differ[#differ + 1] = name end
    if known ~= '' and ARGV[1] == 'fill' then
      -- Another config has stated it: a colleague's file must not change it by being read.
    elseif wanted == '' then
      redis.call('HDEL', KEYS[1], 'config:' .. name)
    else
      redis.call('HSET', KEYS[1], 'config:' .. name, wanted)
      redis.call('SET', KEYS[2], ARGV[2], 'NX')
    end
  end
end
return differ
`);

/** KEYS 1 limits (HASH) 2 format · ARGV 1 field 2 limit 3 our format */
export const SET_LIMIT = script(`
redis.call('SET', KEYS[2], ARGV[3], 'NX')
return redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
`);
