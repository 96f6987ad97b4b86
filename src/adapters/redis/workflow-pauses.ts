import type { WorkflowPauses } from '../../batches/workflow-pauses.ts';
import type { BreakerEvent } from '../../ledger/breaker-event.ts';
import { leadingPause, type Pause, pauseKey } from '../../ledger/pause.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisClient } from './redis-options.ts';

const EVENTS_KEPT = 100;
/** Longer than a provider's rest and the calls that find it still down. */
const RETRY_REMEMBERED_MS = 5 * 60_000;

export class RedisWorkflowPauses implements WorkflowPauses {
  readonly #redis: RedisClient;
  readonly #keys: RedisKeys;

  constructor(redis: RedisClient, keys: RedisKeys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async get(workflow: string): Promise<Pause | undefined> {
    return leadingPause(await this.all(workflow));
  }

  async all(workflow: string): Promise<readonly Pause[]> {
    const pauses = await this.#redis.hvals(this.#keys.pauses(workflow));
    return pauses.map((json) => JSON.parse(json) as Pause).sort((a, b) => a.since - b.since);
  }

  async set(workflow: string, pause: Pause): Promise<boolean> {
    return (await this.#redis.hsetnx(this.#keys.pauses(workflow), pauseKey(pause), JSON.stringify(pause))) === 1;
  }

  async clear(workflow: string, pause?: Pause): Promise<{ readonly cleared: boolean; readonly left: number }> {
    const key = this.#keys.pauses(workflow);
    if (pause === undefined) return { cleared: (await this.#redis.del(key)) === 1, left: 0 };
    const cleared = (await this.#redis.hdel(key, pauseKey(pause))) === 1;
    return { cleared, left: await this.#redis.hlen(key) };
  }

  async noteRetry(name: string, since: number): Promise<void> {
    await this.#redis.set(this.#keys.retriedSince(name), since, 'PX', RETRY_REMEMBERED_MS);
  }

  async retriedSince(name: string): Promise<number | undefined> {
    const since = await this.#redis.get(this.#keys.retriedSince(name));
    return since === null ? undefined : Number(since);
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
