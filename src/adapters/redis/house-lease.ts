import { randomUUID } from 'node:crypto';
import type { RedisKeys } from './keys.ts';
import type { RedisClient } from './redis-options.ts';
import { runScript, script } from './scripts/run-script.ts';

/** A worker asks about once a second, so the house of one that died goes to another within these. */
const LEASE_MS = 3_000;

/** KEYS 1 house · ARGV 1 owner, 2 milliseconds: takes or prolongs the lease; 1 where it is the owner's now. */
const TAKE = script(`
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`);
/** KEYS 1 house · ARGV 1 owner: gives up the lease where it is the owner's. */
const LEAVE = script(`if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`);

/** Which worker keeps house for the cluster. Two of them at once, after a pause of the first, do no harm. */
export class HouseLease {
  readonly #redis: RedisClient;
  readonly #keys: RedisKeys;
  readonly #owner = randomUUID();

  constructor(redis: RedisClient, keys: RedisKeys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** True where it is this worker's for the next three seconds. */
  async take(): Promise<boolean> {
    return (await runScript<number>(this.#redis, TAKE, [this.#keys.house], [this.#owner, LEASE_MS])) === 1;
  }

  async leave(): Promise<void> {
    await runScript(this.#redis, LEAVE, [this.#keys.house], [this.#owner]);
  }
}
