import { randomUUID } from 'node:crypto';
import type { FairShare } from '../../batches/fair-share.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisClient } from './redis-options.ts';
import { RESERVE_TURNS } from './scripts/fair-clock.ts';
import { runScript } from './scripts/run-script.ts';

/** Where a queue keeps its jobs in Redis. */
export interface QueueKeys {
  readonly prioritized: string;
  readonly active: string;
  readonly delayed: string;
}

export interface Turns extends AsyncDisposable {
  /** End of each slice in virtual time, in their order; a slice whose job exists has that of the one before. */
  readonly ends: readonly number[];
}

/** Longer than adding a thousand jobs takes; a producer that died in between keeps the clock from starting over for so long. */
const RESERVED_MS = 30_000;

/** The virtual time of each workflow's queue, see `domain/fair-share.ts`: one script for up to a thousand slices. */
export class FairClock {
  readonly #redis: RedisClient;
  readonly #keys: RedisKeys;

  constructor(redis: RedisClient, keys: RedisKeys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /**
   * Reserves time for slices that are about to be added; dispose it once they are. A producer that dies in between
   * costs its flow these slices' time.
   */
  async reserve(
    workflow: string,
    share: FairShare,
    queue: QueueKeys,
    /** Redis key of each slice's job. */
    jobKeys: readonly string[],
  ): Promise<Turns> {
    const adding = this.#keys.fairAdding(workflow);
    const reservation = randomUUID();
    const [start, known] = (
      await runScript<Buffer[]>(
        this.#redis,
        RESERVE_TURNS,
        [this.#keys.fairFlows(workflow), adding, queue.prioritized, queue.active, queue.delayed, ...jobKeys],
        [share.flow, share.span, share.headStart, reservation, RESERVED_MS],
      )
    ).map(String);
    let end = Number(start);
    const ends = jobKeys.map((_, index) => {
      if (known?.[index] === '0') end += share.span;
      return end;
    });
    return {
      ends,
      [Symbol.asyncDispose]: async () => {
        // It ends by itself if this fails, and must not hide why adding failed.
        await this.#redis.zrem(adding, reservation).catch(() => {});
      },
    };
  }
}
