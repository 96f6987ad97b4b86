import { TEXT_HASH_BYTES } from '../../text/text-hash.ts';
import { KnownHashes } from './known-hashes.ts';

const KEY_WORDS = TEXT_HASH_BYTES / 4;

/**
 * Finds the first document with the same text among millions, by 96-bit hashes. Two different texts of ten million are
 * taken for equal with a chance of 6e-16. In memory a document takes 24 to 48 bytes; of those that are not kept there it
 * takes a byte or two, and 25 to 50 in a temporary file that ends with it.
 */
export class DuplicateTexts implements Disposable {
  readonly #hashes: KnownHashes;
  /** The hash, then ordinal + 1. */
  readonly #entry = new Uint32Array(KEY_WORDS + 1);

  /** @param keptInMemory documents; default: all. With fewer, whoever makes it disposes of it. */
  constructor(keptInMemory?: number) {
    this.#hashes = new KnownHashes({ keyWords: KEY_WORDS, words: KEY_WORDS + 1 }, keptInMemory);
  }

  /**
   * @param hash of the document's text, see `textHash`
   * @param ordinal number of the document, under 2^32 - 1
   * @returns the ordinal of the first document with this text, or undefined where this is the first
   */
  add(hash: Uint8Array, ordinal: number): number | undefined {
    this.#take(hash);
    this.#entry[KEY_WORDS] = ordinal + 1;
    return ordinalOf(this.#hashes.add(this.#entry));
  }

  /** The ordinal of the first document with this text, if there is one. */
  get(hash: Uint8Array): number | undefined {
    this.#take(hash);
    return ordinalOf(this.#hashes.find(this.#entry));
  }

  #take(hash: Uint8Array): void {
    const view = new DataView(hash.buffer, hash.byteOffset, TEXT_HASH_BYTES);
    for (let word = 0; word < KEY_WORDS; word++) this.#entry[word] = view.getUint32(word * 4, true);
  }

  [Symbol.dispose](): void {
    this.#hashes[Symbol.dispose]();
  }
}

function ordinalOf(entry: Uint32Array | undefined): number | undefined {
  return entry === undefined ? undefined : (entry[KEY_WORDS] as number) - 1;
}
