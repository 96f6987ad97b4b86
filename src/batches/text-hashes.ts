import { NamelessFile } from '../runtime/nameless-file.ts';
import { TEXT_HASH_BYTES } from '../text/text-hash.ts';

const CHUNK_BYTES = 4_096 * TEXT_HASH_BYTES;
/** Full chunks that wait in memory before they go into a file: 40,000 documents. */
const KEPT_CHUNKS = 10;

/**
 * The hashes of a batch's texts one after another; zeros for a line that was skipped or has its answer from an earlier
 * batch. Most of them are in a temporary file, or in memory where none can be written.
 */
export class TextHashes implements Disposable {
  #count = 0;
  /** What follows the file's content. */
  #chunks: Uint8Array[] = [];
  #open = new Uint8Array(CHUNK_BYTES);
  #used = 0;
  #file: NamelessFile | undefined;
  #inFile = 0;
  #canWrite = true;

  get count(): number {
    return this.#count;
  }

  /** Whether there are too many to hold in memory. */
  get isLarge(): boolean {
    return this.#inFile > 0;
  }

  push(hash: Uint8Array | undefined): void {
    if (hash !== undefined) this.#open.set(hash, this.#used);
    this.#used += TEXT_HASH_BYTES;
    this.#count += 1;
    if (this.#used < CHUNK_BYTES) return;
    this.#chunks.push(this.#open);
    this.#open = new Uint8Array(CHUNK_BYTES);
    this.#used = 0;
    if (this.#chunks.length >= KEPT_CHUNKS && this.#canWrite) this.#spill();
  }

  /** All of them, in their order. */
  *pieces(): Generator<Uint8Array, void, undefined> {
    for (let at = 0; at < this.#inFile; at += CHUNK_BYTES) {
      const piece = new Uint8Array(CHUNK_BYTES);
      this.#file?.read(piece, at);
      yield piece;
    }
    yield* this.#chunks;
    yield this.#open.subarray(0, this.#used);
  }

  [Symbol.dispose](): void {
    this.#file?.[Symbol.dispose]();
  }

  #spill(): void {
    try {
      this.#file ??= new NamelessFile();
      for (let chunk = this.#chunks[0]; chunk !== undefined; chunk = this.#chunks[0]) {
        this.#file.write(chunk, this.#inFile);
        this.#inFile += CHUNK_BYTES;
        this.#chunks.shift();
      }
    } catch {
      // No room for temporary files: the rest stays in memory.
      this.#canWrite = false;
    }
  }
}
