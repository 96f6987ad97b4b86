import type { Redis } from 'ioredis';
import type { WorkflowHolds } from '../../batches/workflow-holds.ts';
import type { BreakerEvent } from '../../ledger/breaker-event.ts';
import type { Pause } from '../../ledger/pause.ts';
import type { RedisKeys } from './keys.ts';

const EVENTS_KEPT = 100;

export class RedisWorkflowHolds implements WorkflowHolds {
  readonly #redis: Redis;
  readonly #keys: RedisKeys;

  constructor(redis: Redis, keys: RedisKeys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async get(workflow: string): Promise<Pause | undefined> {
    const json = await this.#redis.get(this.#keys.breaker(workflow));
    return json === null ? undefined : (JSON.parse(json) as Pause);
  }

  async set(workflow: string, hold: Pause): Promise<boolean> {
    return (await this.#redis.set(this.#keys.breaker(workflow), JSON.stringify(hold), 'NX')) === 'OK';
  }

  async clear(workflow: string): Promise<boolean> {
    return (await this.#redis.del(this.#keys.breaker(workflow))) === 1;
  }

  async record(name: string, event: BreakerEvent): Promise<void> {
    const key = this.#keys.breakerHistory(name);
    await this.#redis.lpush(key, JSON.stringify(event));
    await this.#redis.ltrim(key, 0, EVENTS_KEPT - 1);
  }

  async history(name: string): Promise<readonly BreakerEvent[]> {
    const events = await this.#redis.lrange(this.#keys.breakerHistory(name), 0, EVENTS_KEPT - 1);
    return events.map((json) => JSON.parse(json) as BreakerEvent).reverse();
  }
}
