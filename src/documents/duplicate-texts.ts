import { TEXT_HASH_BYTES } from '../text/text-hash.ts';

/** Slots at first; doubled when two thirds are taken. A power of two. */
const FIRST_SLOTS = 1024;
const WORDS = TEXT_HASH_BYTES / 4;

/**
 * Finds the first document with the same text among millions: an open-addressing table of 96-bit hashes in typed
 * arrays, about 24 to 48 bytes a document. Two different texts of ten million are taken for equal with a chance of
 * 6e-16.
 */
export class DuplicateTexts {
  #hashes = new Uint32Array(FIRST_SLOTS * WORDS);
  /** Ordinal + 1; 0 is an empty slot. */
  #ordinals = new Uint32Array(FIRST_SLOTS);
  #count = 0;

  /**
   * @param hash of the document's text, see `textHash`
   * @param ordinal number of the document, under 2^32 - 1
   * @returns the ordinal of the first document with this text, or undefined where this is the first
   */
  add(hash: Uint8Array, ordinal: number): number | undefined {
    const words = wordsOf(hash);
    const slot = this.#find(words);
    const known = this.#ordinals[slot] ?? 0;
    if (known !== 0) return known - 1;
    this.#set(slot, words, ordinal + 1);
    this.#count += 1;
    if (this.#count * 3 > this.#ordinals.length * 2) this.#grow();
    return undefined;
  }

  /** The ordinal of the first document with this text, if there is one. */
  get(hash: Uint8Array): number | undefined {
    const known = this.#ordinals[this.#find(wordsOf(hash))] ?? 0;
    return known === 0 ? undefined : known - 1;
  }

  #find(words: readonly [number, number, number]): number {
    const mask = this.#ordinals.length - 1;
    for (let slot = words[0] & mask; ; slot = (slot + 1) & mask) {
      if (this.#ordinals[slot] === 0) return slot;
      const at = slot * WORDS;
      const hashes = this.#hashes;
      if (hashes[at] === words[0] && hashes[at + 1] === words[1] && hashes[at + 2] === words[2]) return slot;
    }
  }

  #set(slot: number, words: readonly [number, number, number], value: number): void {
    this.#hashes.set(words, slot * WORDS);
    this.#ordinals[slot] = value;
  }

  #grow(): void {
    const hashes = this.#hashes;
    const ordinals = this.#ordinals;
    this.#hashes = new Uint32Array(hashes.length * 2);
    this.#ordinals = new Uint32Array(ordinals.length * 2);
    for (const [slot, ordinal] of ordinals.entries()) {
      if (ordinal === 0) continue;
      const at = slot * WORDS;
      const words = [hashes[at] ?? 0, hashes[at + 1] ?? 0, hashes[at + 2] ?? 0] as const;
      this.#set(this.#find(words), words, ordinal);
    }
  }
}

function wordsOf(hash: Uint8Array): readonly [number, number, number] {
  const view = new DataView(hash.buffer, hash.byteOffset, TEXT_HASH_BYTES);
  return [view.getUint32(0, true), view.getUint32(4, true), view.getUint32(8, true)];
}
