import { LESSON_DAYS, type LessonBook, type Lessons, type Taught } from '../../providers/lesson-book.ts';
import type { Clock } from '../../runtime/clock.ts';
import { DAY_MS } from '../../runtime/durations.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisClient } from './redis-options.ts';

interface Entry {
  readonly value: string | false;
  readonly baseUrl: string;
  readonly at: number;
}

/** A field for each model and parameter, so that two workers that learn different things at once lose nothing. */
export class RedisLessonBook implements LessonBook {
  readonly #redis: RedisClient;
  readonly #keys: RedisKeys;
  readonly #clock: Clock;

  constructor(redis: RedisClient, keys: RedisKeys, clock: Clock) {
    this.#redis = redis;
    this.#keys = keys;
    this.#clock = clock;
  }

  async read({ provider, baseUrl }: Taught): Promise<ReadonlyMap<string, Lessons>> {
    const since = this.#clock.now() - LESSON_DAYS * DAY_MS;
    const lessons = new Map<string, Lessons>();
    for (const [field, json] of Object.entries(await this.#redis.hgetall(this.#keys.lessons(provider)))) {
      const entry = JSON.parse(json) as Entry;
      if (entry.baseUrl !== baseUrl || entry.at < since) continue;
      const [parameter = '', modelId] = cut(field);
      lessons.set(modelId, { ...lessons.get(modelId), [parameter]: entry.value });
    }
    return lessons;
  }

  async add({ provider, baseUrl }: Taught, modelId: string, lessons: Lessons): Promise<void> {
    const at = this.#clock.now();
    const key = this.#keys.lessons(provider);
    const fields = Object.entries(lessons).flatMap(([parameter, value]) => [
      `${parameter}:${modelId}`,
      JSON.stringify({ value, baseUrl, at } satisfies Entry),
    ]);
    await this.#redis
      .multi()
      .hset(key, ...fields)
      .expire(key, LESSON_DAYS * 24 * 3600)
      .exec();
  }
}

/** Ids of models have colons, names of parameters have none. */
function cut(field: string): readonly [string, string] {
  const at = field.indexOf(':');
  return [field.slice(0, at), field.slice(at + 1)];
}
