import { hash } from 'node:crypto';
import type { ModelRequest } from '../requests/model-request.ts';
import type { Clock } from '../runtime/clock.ts';

/** Providers cache beginnings of 1,024 tokens and more (OpenAI, Anthropic, Gemini); four characters are about one token. */
const MIN_CACHED_CHARACTERS = 4_096;
/** Caches forget after five minutes without use. */
const WARM_MS = 240_000;

/**
 * Lets the first call with a long common beginning go alone, so that the provider has it in its prompt cache when the
 * others come: together they would all pay the full price.
 */
export class PromptPrefixes {
  readonly #clock: Clock;
  readonly #warmUntil = new Map<string, number>();
  readonly #leaders = new Map<string, Promise<unknown>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Runs `call` when the provider has likely cached the request's beginning, or as the one that makes it do so. A result
   * that is an error leaves the cache as it was.
   *
   * @param stopping ends the wait for another call, which may be another slice's: then `call` finds out by itself
   */
  async run<T>(provider: string, request: ModelRequest, call: () => Promise<T>, stopping: AbortSignal): Promise<T> {
    const prefix = request.messages[0]?.role === 'system' ? request.messages[0].content : '';
    if (prefix.length < MIN_CACHED_CHARACTERS) return await call();
    const key = hash('sha256', `${provider}\0${request.modelId}\0${prefix}`, 'base64url');
    for (;;) {
      if ((this.#warmUntil.get(key) ?? 0) > this.#clock.monotonic()) break;
      const leader = this.#leaders.get(key);
      if (leader === undefined) return await this.#lead(key, call);
      // Whatever became of it: where it failed, the next one leads.
      await untilEither(leader, stopping);
      if (stopping.aborted) return await call();
    }
    this.#warmUntil.set(key, this.#clock.monotonic() + WARM_MS);
    return await call();
  }

  async #lead<T>(key: string, call: () => Promise<T>): Promise<T> {
    const result = call();
    this.#leaders.set(key, result);
    try {
      const value = await result;
      if (!(value instanceof Error)) this.#warmUntil.set(key, this.#clock.monotonic() + WARM_MS);
      return value;
    } finally {
      this.#leaders.delete(key);
    }
  }
}

/** Resolves when the promise has settled or the signal aborts. */
async function untilEither(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const end = () => {
      signal.removeEventListener('abort', end);
      resolve();
    };
    signal.addEventListener('abort', end, { once: true });
    promise.then(end, end);
  });
}
