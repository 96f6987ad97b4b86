import { StoreError } from '../errors.ts';

export interface StoreWatchContext {
  /** Tries the store. @throws {StoreError} where it does not work */
  readonly probe: () => Promise<void>;
  /** Waits; ends early, without an error, when `signal` aborts. */
  readonly rest: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Called once as the trouble begins. */
  readonly onTrouble: (error: StoreError) => void;
  /** Called once as the store works again. */
  readonly onRestored: () => void;
}

const FIRST_REST_MS = 2_000;
const LONGEST_REST_MS = 60_000;

/**
 * Whether this worker can use its store. An error of one object is no trouble of the store: it begins where a probe
 * fails too, and ends by itself with the first probe that works.
 */
export class StoreWatch {
  readonly #context: StoreWatchContext;
  readonly #ended = new AbortController();
  #trouble: StoreError | undefined;
  #confirming: Promise<void> | undefined;

  constructor(context: StoreWatchContext) {
    this.#context = context;
  }

  /** What the store refused; undefined: it works, as far as is known. */
  get trouble(): string | undefined {
    return this.#trouble?.message;
  }

  /** @returns whether a step failed because of the store as a whole, so that it may be left to other workers */
  async blames(error: unknown): Promise<boolean> {
    if (!(error instanceof StoreError)) return false;
    // Steps that fail together are answered by one probe.
    this.#confirming ??= this.#confirm(error).finally(() => {
      this.#confirming = undefined;
    });
    await this.#confirming;
    return this.#trouble !== undefined;
  }

  end(): void {
    this.#ended.abort();
  }

  async #confirm(error: StoreError): Promise<void> {
    if (this.#trouble !== undefined || (await this.#works())) return;
    this.#trouble = error;
    this.#context.onTrouble(error);
    void this.#waitUntilItWorks();
  }

  async #waitUntilItWorks(): Promise<void> {
    const { signal } = this.#ended;
    for (let restMs = FIRST_REST_MS; ; restMs = Math.min(restMs * 2, LONGEST_REST_MS)) {
      await this.#context.rest(restMs, signal);
      if (signal.aborted) return;
      if (await this.#works()) break;
    }
    this.#trouble = undefined;
    this.#context.onRestored();
  }

  async #works(): Promise<boolean> {
    try {
      await this.#context.probe();
      return true;
    } catch {
      return false;
    }
  }
}
