import { Readable } from 'node:stream';

/**
 * Passes `body` on and remembers whether it failed, so that a store can tell a body that broke (the caller's
 * error, thrown on unchanged) from its own failure to write it.
 */
export class WatchedBody {
  readonly stream: Readable;
  readonly #body: Readable;
  #failure: { readonly error: unknown } | undefined;

  constructor(body: Readable) {
    this.#body = body;
    this.stream = Readable.from(this.#pass(), { objectMode: false });
    // A body may break before anyone reads it; without a listener that would end the process.
    for (const stream of [body, this.stream]) stream.on('error', () => {});
  }

  /** Throws the body's own error if that is why the write failed, and lets go of the body either way. */
  rethrowFailure(): void {
    this.#body.destroy();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async *#pass(): AsyncGenerator<Uint8Array> {
    const chunks: AsyncIterator<unknown> = this.#body[Symbol.asyncIterator]();
    for (;;) {
      const next = await this.#next(chunks);
      if (next.done === true) return;
      // Outside of #next, because a store that stops reading makes `yield` throw.
      yield typeof next.value === 'string' ? Buffer.from(next.value) : (next.value as Uint8Array);
    }
  }

  async #next(chunks: AsyncIterator<unknown>): Promise<IteratorResult<unknown>> {
    try {
      return await chunks.next();
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }
}
