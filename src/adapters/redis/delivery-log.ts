import type { Delivery, DeliveryLog } from '../../budgets/delivery-log.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisClient } from './redis-options.ts';

/** Some nights of a busy team. */
const MAX_ENTRIES = 1_000;

export class RedisDeliveryLog implements DeliveryLog {
  readonly #redis: RedisClient;
  readonly #key: string;

  constructor(redis: RedisClient, keys: RedisKeys) {
    this.#redis = redis;
    this.#key = keys.deliveries;
  }

  async append(delivery: Delivery): Promise<void> {
    await this.#redis
      .multi()
      .lpush(this.#key, JSON.stringify(delivery))
      .ltrim(this.#key, 0, MAX_ENTRIES - 1)
      .exec();
  }

  async list(limit: number): Promise<readonly Delivery[]> {
    const found = await this.#redis.lrange(this.#key, 0, limit - 1);
    return found.map((json) => JSON.parse(json) as Delivery);
  }
}
