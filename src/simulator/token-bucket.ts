const LONGEST_DEBT_MS = 60_000;

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

  /** A refused request counts too; a provider that counts a rolling minute forgets it after that minute. */
  takeRefused(amount: number, nowMs: number): void {
    this.take(amount, nowMs);
    this.#fullAtMs = Math.min(this.#fullAtMs, nowMs + LONGEST_DEBT_MS);
  }

  msUntilFull(nowMs: number): number {
    return Math.max(0, this.#fullAtMs - nowMs);
  }

  /** What one request could take at once; 0 in debt. */
  available(nowMs: number): number {
    return Math.max(0, Math.floor(this.#capacity - this.msUntilFull(nowMs) * this.#perMs + 1e-9));
  }
}

const WINDOW_MS = 60_000;

/** A limit counted again in each minute of the clock that it is given, the way gateways count. Same use as `TokenBucket`. */
export class FixedWindow {
  readonly limitPerMinute: number;
  #window = Number.NEGATIVE_INFINITY;
  #used = 0;

  constructor(limitPerMinute: number) {
    this.limitPerMinute = limitPerMinute;
  }

  waitMs(amount: number, nowMs: number): number {
    this.#enter(nowMs);
    return this.#used === 0 || this.#used + amount <= this.limitPerMinute ? 0 : this.msUntilFull(nowMs);
  }

  take(amount: number, nowMs: number): void {
    this.#enter(nowMs);
    this.#used = Math.max(0, this.#used + amount);
  }

  /** A refused request counts too. The next minute knows nothing of it. */
  takeRefused(amount: number, nowMs: number): void {
    this.take(amount, nowMs);
  }

  msUntilFull(nowMs: number): number {
    return (Math.floor(nowMs / WINDOW_MS) + 1) * WINDOW_MS - nowMs;
  }

  available(nowMs: number): number {
    this.#enter(nowMs);
    return Math.max(0, Math.floor(this.limitPerMinute - this.#used));
  }

  #enter(nowMs: number): void {
    const window = Math.floor(nowMs / WINDOW_MS);
    if (window === this.#window) return;
    this.#window = window;
    this.#used = 0;
  }
}
