import { script } from './run-script.ts';

/** KEYS 1 lock · ARGV 1 owner, 2 milliseconds: takes or prolongs the lock; 1 where it is the owner's now. */
export const LOCK = script(`
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`);

/** KEYS 1 lock · ARGV 1 owner: gives up the lock where it is the owner's. */
export const UNLOCK = script(
  `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`,
);
