import { script } from './run-script.ts';

/**
 * Takes limits over from the config. The newest statement wins: a limit that changed in the config replaces what a
 * command has set before. At once, so that no call is admitted under a limit that nobody has stated.
 *
 * KEYS  1 limits (HASH)
 * ARGV  pairs of scope name and limit, empty for none
 */
export const APPLY_CONFIG_LIMITS = script(`
for i = 1, #ARGV, 2 do
  local name, wanted = ARGV[i], ARGV[i + 1]
  if (redis.call('HGET', KEYS[1], 'config:' .. name) or '') ~= wanted then
    redis.call('HDEL', KEYS[1], 'set:' .. name)
    if wanted == '' then
      redis.call('HDEL', KEYS[1], 'config:' .. name)
    else
      redis.call('HSET', KEYS[1], 'config:' .. name, wanted)
    end
  end
end
`);
