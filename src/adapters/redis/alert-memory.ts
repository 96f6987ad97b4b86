import type { AlertMemory } from '../../budgets/alert-memory.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisClient } from './redis-options.ts';

/** Longer than a month, the longest period of a limit. */
const REMEMBER_SECONDS = 40 * 24 * 3600;

export class RedisAlertMemory implements AlertMemory {
  readonly #redis: RedisClient;
  readonly #keys: RedisKeys;

  constructor(redis: RedisClient, keys: RedisKeys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async claimCheck(milliseconds: number): Promise<boolean> {
    return (await this.#redis.set(this.#keys.alertCheck, '1', 'PX', milliseconds, 'NX')) === 'OK';
  }

  async remember(alertKey: string): Promise<boolean> {
    return (await this.#redis.set(this.#keys.alert(alertKey), '1', 'EX', REMEMBER_SECONDS, 'NX')) === 'OK';
  }
}
