import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../../src/runtime/clock.ts';

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/** Time of a test's own in which many sleep at once: it moves on to the next one who wakes when nobody has anything to do. */
export class VirtualClock implements Clock {
  #now: number;
  readonly #sleepers = new Set<Sleeper>();

  /** @param now milliseconds since the epoch */
  constructor(now = Date.parse('2026-03-01T12:00:00Z')) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true || milliseconds <= 0) return;
    await new Promise<void>((resolve) => {
      const sleeper = { until: this.#now + milliseconds, wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', () => this.#sleepers.delete(sleeper) && resolve(), { once: true });
    });
  }

  /** Lets time pass until `work` has ended. */
  async run<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const end = () => {
      isDone = true;
    };
    work.then(end, end);
    for (;;) {
      // Two turns: whoever waits for several promises is done after the second at the latest.
      await turn();
      await turn();
      if (isDone) return await work;
      const next = [...this.#sleepers].reduce<Sleeper | undefined>(
        (first, each) => (first === undefined || each.until < first.until ? each : first),
        undefined,
      );
      if (next === undefined) throw new Error('Nobody sleeps, and the work has not ended');
      this.#sleepers.delete(next);
      this.#now = next.until;
      next.wake();
    }
  }
}
