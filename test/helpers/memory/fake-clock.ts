import type { Clock } from '../../../src/runtime/clock.ts';

/** Time that only moves when somebody sleeps, and then at once. */
export class FakeClock implements Clock {
  #now: number;
  /** Every sleep, in order, in milliseconds. */
  readonly slept: number[] = [];
  /** Called while somebody sleeps, for what happens meanwhile. */
  onSleep: ((milliseconds: number) => void | Promise<void>) | undefined;

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

  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }

  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true || milliseconds <= 0) return;
    this.slept.push(milliseconds);
    this.#now += milliseconds;
    await this.onSleep?.(milliseconds);
  }
}
