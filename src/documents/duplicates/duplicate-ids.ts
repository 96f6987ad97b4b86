import { KnownHashes } from './known-hashes.ts';

/**
 * Tells whether an id was seen before. It keeps 64-bit hashes, so two different ids may be taken for one: the chance that
 * this happens anywhere among n ids is n² / 2^65, for 10 million ids 3 in a million. In memory an id takes 12 to
 * 24 bytes; of those that are not kept there it takes a byte or two, and 12 to 25 in a temporary file that ends with it.
 */
export class DuplicateIds implements Disposable {
  readonly #hashes: KnownHashes;
  readonly #entry = new Uint32Array(2);

  /** @param keptInMemory ids; default: all. With fewer, whoever makes it disposes of it. */
  constructor(keptInMemory?: number) {
    this.#hashes = new KnownHashes({ keyWords: 2, words: 2 }, keptInMemory);
  }

  /** Remembered ids. */
  get size(): number {
    return this.#hashes.size;
  }

  /** Remembers `id`; false if it was there before. */
  add(id: string): boolean {
    this.#entry.set(hashId(id));
    return this.#hashes.add(this.#entry) === undefined;
  }

  [Symbol.dispose](): void {
    this.#hashes[Symbol.dispose]();
  }
}

/** Two independent halves over UTF-16 units (cyrb53's mixing, with all 64 bits kept); never 0, 0. */
function hashId(id: string): readonly [high: number, low: number] {
  let first = 0xdeadbeef;
  let second = 0x41c6ce57;
  for (let index = 0; index < id.length; index++) {
    const unit = id.charCodeAt(index);
    first = Math.imul(first ^ unit, 0x9e3779b1);
    second = Math.imul(second ^ unit, 0x5f356495);
    first = (first << 13) | (first >>> 19);
    second = (second << 17) | (second >>> 15);
  }
  const mixedFirst = Math.imul(first ^ (first >>> 16), 0x85ebca6b) ^ Math.imul(second ^ (second >>> 13), 0xc2b2ae35);
  const mixedSecond =
    Math.imul(second ^ (second >>> 16), 0x85ebca6b) ^ Math.imul(mixedFirst ^ (mixedFirst >>> 13), 0xc2b2ae35);
  const high = (mixedFirst ^ (mixedFirst >>> 16)) >>> 0;
  const low = (mixedSecond ^ (mixedSecond >>> 16)) >>> 0;
  return high === 0 && low === 0 ? [0, 1] : [high, low];
}
