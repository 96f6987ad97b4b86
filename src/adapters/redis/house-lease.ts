import { randomUUID } from 'node:crypto';
import type { House } from '../../budgets/housekeeping.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisClient } from './redis-options.ts';
import { LOCK, UNLOCK } from './scripts/lock.ts';
import { runScript } from './scripts/run-script.ts';

/** A worker asks about once a second, so the house of one that died goes to another within these. */
const LEASE_MS = 3_000;

/** Which worker keeps house for the cluster. Two of them at once, after a pause of the first, do no harm. */
export class HouseLease implements House {
  readonly #redis: RedisClient;
  readonly #keys: RedisKeys;
  readonly #owner = randomUUID();
  #isHeld = false;

  constructor(redis: RedisClient, keys: RedisKeys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  async take(): Promise<boolean> {
    this.#isHeld = (await runScript<number>(this.#redis, LOCK, [this.#keys.house], [this.#owner, LEASE_MS])) === 1;
    return this.#isHeld;
  }

  async leave(): Promise<void> {
    this.#isHeld = false;
    await runScript(this.#redis, UNLOCK, [this.#keys.house], [this.#owner]);
  }
}
