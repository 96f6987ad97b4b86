/**
 * A continuous token bucket that holds one second of its limit. It remembers only when it will be full again.
 * A request larger than the bucket passes when the bucket is full and leaves a debt, so that it is possible at all and
 * the average still holds. In any window of length T at most `limit x T + max(one second, one request)` passes.
 */
export class TokenBucket {
  readonly limitPerMinute: number;
  readonly #perMs: number;
  readonly #capacity: number;
  #fullAtMs = 0;

  constructor(limitPerMinute: number) {
    this.limitPerMinute = limitPerMinute;
    this.#perMs = limitPerMinute / 60_000;
    this.#capacity = limitPerMinute / 60;
  }

  /** Milliseconds until `amount` can be taken; 0 means now. */
  waitMs(amount: number, nowMs: number): number {
    const burst = Math.max(this.#capacity, amount);
    const wait = this.msUntilFull(nowMs) - (burst - amount) / this.#perMs;
    // Below a microsecond it is the rounding of doubles.
    return wait > 1e-3 ? wait : 0;
  }

  /** Takes without asking: call `waitMs` first. A negative amount gives back what was not used. */
  take(amount: number, nowMs: number): void {
    this.#fullAtMs = Math.max(this.#fullAtMs, nowMs) + amount / this.#perMs;
  }

  msUntilFull(nowMs: number): number {
    return Math.max(0, this.#fullAtMs - nowMs);
  }

  /** What one request could take at once; 0 in debt. */
  available(nowMs: number): number {
    return Math.max(0, Math.floor(this.#capacity - this.msUntilFull(nowMs) * this.#perMs + 1e-9));
  }
}
