import type { Clock } from '../runtime/clock.ts';

export interface CircuitOptions {
  /** So many failures that count, one after the other, open it. */
  readonly failures: number;
  /** After this time one call finds out whether it can close. */
  readonly probeEveryMs: number;
  /** Whether a failure is the provider's own. */
  readonly counts: (error: unknown) => boolean;
  readonly clock: Clock;
  readonly onOpen: () => void;
}

/** The circuit is open, and nothing was sent. */
export class CircuitOpenError extends Error {}

/**
 * Lets calls through while they succeed. After too many failures in a row it is open: calls are refused, but one now and
 * then goes through alone, and its end says whether all may go again; calls that come meanwhile wait for it.
 */
export class Circuit {
  readonly #options: CircuitOptions;
  #failures = 0;
  /** Undefined while it is closed. */
  #openedAt: number | undefined;
  #probe: Promise<void> | undefined;

  constructor(options: CircuitOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#openedAt !== undefined;
  }

  /** @throws {CircuitOpenError} and what `work` throws */
  run<T>(work: () => Promise<T>): Promise<T> {
    const isClosed = this.#probe === undefined && this.#openedAt === undefined;
    return isClosed ? this.#pass(work) : this.#runWhileOpen(work);
  }

  async #runWhileOpen<T>(work: () => Promise<T>): Promise<T> {
    while (this.#probe !== undefined) await this.#probe;
    if (this.#openedAt === undefined) return await this.#pass(work);
    if (this.#options.clock.monotonic() - this.#openedAt < this.#options.probeEveryMs) throw new CircuitOpenError();
    const result = this.#pass(work);
    this.#probe = result.then(
      () => this.#close(),
      (error: unknown) => {
        // A failure that is not its own shows that it is there.
        if (this.#options.counts(error)) this.#open();
        else this.#close();
      },
    );
    await this.#probe;
    this.#probe = undefined;
    return await result;
  }

  async #pass<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      this.#failures = 0;
      return result;
    } catch (error) {
      if (this.#options.counts(error)) {
        this.#failures += 1;
        if (this.#openedAt === undefined && this.#failures >= this.#options.failures) this.#open();
      }
      throw error;
    }
  }

  #open(): void {
    this.#openedAt = this.#options.clock.monotonic();
    this.#options.onOpen();
  }

  #close(): void {
    this.#failures = 0;
    this.#openedAt = undefined;
  }
}
