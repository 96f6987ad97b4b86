import { setImmediate } from 'node:timers/promises';
import PQueue from 'p-queue';
import { CallFailedError } from '../../calls/stop.ts';
import type { Chunk } from '../../text/chunk-text.ts';
import type { PartialAnswer } from '../result-row.ts';

/** Enough to keep any provider busy, few enough that a document which fails has not bought all its parts. */
const MAX_CONCURRENT_PARTS = 128;

/** The parts of one document: asks them, and keeps account of those that failed. */
export class DocumentParts {
  readonly chunks: readonly Chunk[];
  readonly #mostFailedTokens: number;
  readonly #failed = new Map<number, CallFailedError>();

  /** @param mayFail share of the document's tokens, 0 to 1, whose parts may fail */
  constructor(chunks: readonly Chunk[], mayFail = 0) {
    this.chunks = chunks;
    this.#mostFailedTokens = mayFail * chunks.reduce((sum, { tokens }) => sum + tokens, 0);
  }

  /**
   * Asks parts, many at once, and waits until all have settled: calls in flight are paid for. A part that failed
   * for a reason of its own has no answer; when more than may fail did, no further part is asked.
   *
   * @param indexes of the parts to ask, in this order
   * @returns the answers, in the order of `indexes`
   * @throws {CallFailedError} too many parts failed, or one was too long; and whatever else `ask` throws
   */
  async ask<T>(indexes: readonly number[], ask: (chunk: Chunk) => Promise<T>): Promise<readonly (T | undefined)[]> {
    let fatal: { readonly reason: unknown } | undefined;
    const askPart = (index: number) => async (): Promise<T | undefined> => {
      if (fatal !== undefined) return undefined;
      // Building a prompt takes time in proportion to its part: others get their turn in between.
      await setImmediate();
      try {
        return await ask(this.chunks[index] as Chunk);
      } catch (error) {
        const reason = this.#reasonToStop(index, error);
        if (reason !== undefined) fatal ??= { reason };
        return undefined;
      }
    };
    const queue = new PQueue({ concurrency: MAX_CONCURRENT_PARTS });
    const answers = await queue.addAll(indexes.map(askPart));
    if (fatal !== undefined) throw (fatal as { readonly reason: unknown }).reason;
    return answers;
  }

  /** What the row says of parts without an answer. */
  get partial(): PartialAnswer | undefined {
    if (this.#failed.size === 0) return undefined;
    const failed = [...this.#failed].sort(([a], [b]) => a - b);
    return {
      parts: this.chunks.length,
      failed: failed.flatMap(([index, { code }]) => {
        const chunk = this.chunks[index];
        return chunk === undefined ? [] : [{ start: chunk.start, end: chunk.end, code }];
      }),
    };
  }

  #reasonToStop(index: number, error: unknown): unknown {
    if (!(error instanceof CallFailedError) || error.code === 'context_overflow') return error;
    this.#failed.set(index, error);
    const failedTokens = [...this.#failed.keys()].reduce((sum, one) => sum + (this.chunks[one]?.tokens ?? 0), 0);
    if (failedTokens <= this.#mostFailedTokens) return undefined;
    const { start = 0, end = 0 } = this.chunks[index] ?? {};
    return new CallFailedError(
      error.code,
      `Part ${index + 1} of ${this.chunks.length} (characters ${start} to ${end}): ${error.message}`,
      { cause: error },
    );
  }
}
