import type { Clock } from '../../runtime/clock.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisClient } from './redis-options.ts';
import { runScript, script } from './scripts/run-script.ts';

/** KEYS  1 any key, so that a cluster answers from the node that keeps the books. Returns milliseconds since the epoch. */
const READ_TIME = script(`
local time = redis.call('TIME')
return time[1] * 1000 + math.floor(time[2] / 1000)
`);

/** Redis's time is in whole milliseconds. */
const GRAIN_MS = 1;

/**
 * The time of the server that keeps the books, the same in every process. Between measurements it runs on this
 * machine's monotonic clock, so that nobody who sets the machine's clock sets this one.
 *
 * A measurement proves that Redis's time was read between the request and the answer, and moves this clock no further
 * than that: an answer that came late changes nothing that may be right.
 */
export class RedisClock implements Clock {
  readonly #local: Clock;
  readonly #readTime: () => Promise<number>;
  /** Redis's time less the monotonic clock. Until the first measurement this machine's clock counts as right. */
  #offset: number;
  #aheadMs = 0;
  #measuring: Promise<void> | undefined;

  /** @param readTime Redis's time, in milliseconds since the epoch */
  constructor(readTime: () => Promise<number>, local: Clock) {
    this.#readTime = readTime;
    this.#local = local;
    this.#offset = local.now() - local.monotonic();
  }

  /** @throws {NightmillError} `redis_unavailable` */
  static async open(redis: RedisClient, keys: RedisKeys, local: Clock): Promise<RedisClock> {
    const clock = new RedisClock(() => runScript<number>(redis, READ_TIME, [keys.workers], []), local);
    await clock.measure();
    return clock;
  }

  now(): number {
    return Math.floor(this.#offset + this.#local.monotonic());
  }

  monotonic(): number {
    return this.#local.monotonic();
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return this.#local.sleep(milliseconds, signal);
  }

  /** How far this machine's clock was ahead of Redis's when it was measured last; negative where it was behind. */
  get aheadMs(): number {
    return this.#aheadMs;
  }

  /** Measures again and again. A measurement that fails changes nothing. */
  keep(everyMs: number, onMeasured: () => void): Disposable {
    const timer = setInterval(() => void this.measure().then(onMeasured, () => {}), everyMs);
    timer.unref();
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  /** One at a time. @throws {NightmillError} `redis_unavailable`; the clock continues as it was */
  measure(): Promise<void> {
    this.#measuring ??= this.#measureOnce().finally(() => {
      this.#measuring = undefined;
    });
    return this.#measuring;
  }

  async #measureOnce(): Promise<void> {
    const asked = this.#local.monotonic();
    const time = await this.#readTime();
    const answered = this.#local.monotonic();
    this.#offset = Math.min(Math.max(this.#offset, time - answered), time + GRAIN_MS - asked);
    this.#aheadMs = this.#local.now() - (this.#offset + this.#local.monotonic());
  }
}
