export interface PlacesOptions {
  /** Most calls at once. */
  readonly most: number;
  /** Calls at once before anything is known of the server; default: the most. */
  readonly start?: number;
  /** What one call may take; default: no limit. */
  readonly timeLimitMs?: number;
}

/** Of its time limit: a server that takes longer has enough calls in its line. */
const BUSY_SHARE = 1 / 4;
const OVERFULL_SHARE = 1 / 2;
/** So many times as long as its shortest call: calls wait in the server's line. */
const QUEUED_FACTOR = 1.5;

/**
 * A provider's places for calls in one process. After trouble they come back one by one, with each call that succeeds
 * (slow start), so that a provider that has just recovered is not run over. A server that cuts calls off, or keeps them
 * waiting for a large part of their time limit, gets fewer; it is asked for more slowly from then on.
 */
export class CallSlots {
  readonly #timeLimitMs: number;
  readonly #adapts: boolean;
  readonly #listeners: (() => void)[] = [];
  #most: number;
  #open: number;
  /** Up to here each success opens a place; beyond, each round of successes. */
  #careful: number;
  #credit = 0;
  #shortestMs = Number.POSITIVE_INFINITY;
  #cutAt = Number.NEGATIVE_INFINITY;
  #taken = 0;
  /** Who is told first the next time. */
  #first = 0;

  constructor({ most, start = most, timeLimitMs = Number.POSITIVE_INFINITY }: PlacesOptions) {
    this.#most = most;
    this.#open = Math.min(start, most);
    this.#adapts = start < most;
    this.#careful = most;
    this.#timeLimitMs = timeLimitMs;
  }

  get free(): number {
    return Math.max(0, this.#open - this.#taken);
  }

  /** Calls that may be under way at once now. */
  get open(): number {
    return this.#open;
  }

  /** Takes one; ask `free` first. Disposing of it twice frees it once. */
  take(): Disposable {
    this.#taken += 1;
    let isTaken = true;
    return {
      [Symbol.dispose]: () => {
        if (!isTaken) return;
        isTaken = false;
        this.#taken -= 1;
        this.#tell();
      },
    };
  }

  /** One place is left; each success opens another. */
  slowStart(): void {
    this.#open = 1;
  }

  /** @param durationMs from sending to the last byte */
  succeeded(durationMs = 0): void {
    this.#shortestMs = Math.min(this.#shortestMs, durationMs);
    const isQueued = durationMs > QUEUED_FACTOR * this.#shortestMs;
    if (isQueued && durationMs > OVERFULL_SHARE * this.#timeLimitMs) {
      this.#open = Math.max(1, this.#open - 1);
      this.#careful = this.#open;
      return;
    }
    if (this.#open >= this.#most) return;
    if (isQueued && durationMs > BUSY_SHARE * this.#timeLimitMs) return;
    this.#credit += this.#open < this.#careful ? 1 : 1 / this.#open;
    if (this.#credit < 1) return;
    this.#credit = 0;
    this.#open += 1;
    this.#tell();
  }

  /**
   * A call was cut off. Half of the places are left; calls that were under way beside it say nothing new.
   *
   * @param sentAt both in milliseconds of the monotonic clock
   */
  timedOut(sentAt: number, now: number): void {
    if (sentAt < this.#cutAt) return;
    this.#cutAt = now;
    this.#open = Math.max(1, Math.floor(this.#open / 2));
    this.#careful = this.#open;
  }

  /** The server has said how many calls it works on at once. It counts where nobody else has set a number. */
  serverHas(slots: number): void {
    if (!this.#adapts || slots === this.#most) return;
    this.#most = slots;
    this.#open = slots;
    this.#careful = slots;
    this.#tell();
  }

  /** Told whenever a place gets free, in turns: whoever is told first may take it. */
  onSlotFree(listener: () => void): void {
    this.#listeners.push(listener);
  }

  #tell(): void {
    const from = this.#first % Math.max(1, this.#listeners.length);
    this.#first = from + 1;
    for (const listener of [...this.#listeners.slice(from), ...this.#listeners.slice(0, from)]) listener();
  }
}
