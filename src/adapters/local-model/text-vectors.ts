import { chunkText } from '../../local-model/chunk-text.ts';
import { centredAverage, type Vector } from '../../local-model/vectors.ts';
import { MEAN_VECTOR } from './mean-vector.ts';
import type { SentenceEncoder } from './sentence-encoder.ts';
import { VectorCache } from './vector-cache.ts';

/** 20 MB. */
const CACHED_VECTORS = 10_000;
/** Texts whose chunks are encoded together: bounds the memory, and is enough to fill the runs of the model. */
const TEXTS_PER_ROUND = 200;

/** Vectors of texts of any length up to 16,000 characters: of their chunks, averaged by length, centred, of length 1. */
export class TextVectors {
  readonly #encoder: SentenceEncoder;
  readonly #cache = new VectorCache(CACHED_VECTORS);

  constructor(encoder: SentenceEncoder) {
    this.#encoder = encoder;
  }

  /**
   * One vector for each text, in order.
   *
   * @param texts as `sampleText` gives them, each with at least one character
   * @param checkpoint awaited about every 0.3 s; may throw to stop
   */
  async of(texts: readonly string[], checkpoint: () => Promise<void>): Promise<readonly Vector[]> {
    const vectors: Vector[] = [];
    for (let start = 0; start < texts.length; start += TEXTS_PER_ROUND) {
      vectors.push(...(await this.#round(texts.slice(start, start + TEXTS_PER_ROUND), checkpoint)));
    }
    return vectors;
  }

  async #round(texts: readonly string[], checkpoint: () => Promise<void>): Promise<readonly Vector[]> {
    const known = new Map<string, Vector>();
    const chunksOf = new Map<string, readonly string[]>();
    for (const text of texts) {
      if (known.has(text) || chunksOf.has(text)) continue;
      const vector = this.#cache.get(text);
      if (vector === undefined) chunksOf.set(text, chunkText(text));
      else known.set(text, vector);
    }
    // A text that repeats itself, and a footer that all have, is encoded once.
    const different = [...new Set([...chunksOf.values()].flat())];
    const encoded = await this.#encoder.encode(different, checkpoint);
    const vectorOf = new Map(different.map((chunk, i) => [chunk, encoded[i] as Vector]));
    for (const [text, chunks] of chunksOf) {
      const vector = centredAverage(
        chunks.map((chunk) => vectorOf.get(chunk) as Vector),
        chunks.map((chunk) => chunk.length),
        MEAN_VECTOR,
      );
      this.#cache.set(text, vector);
      known.set(text, vector);
    }
    return texts.map((text) => known.get(text) ?? MEAN_VECTOR);
  }
}
