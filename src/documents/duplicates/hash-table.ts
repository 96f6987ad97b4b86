/** Hashes of a fixed number of 32-bit words, each with room for a value. */
export interface EntryShape {
  /** Words of the hash; the first two are well mixed. */
  readonly keyWords: number;
  /** Words of an entry: the hash, then its value. An entry of zeros stands for none. */
  readonly words: number;
}

/** Above this load, probing gets slow and the table doubles. */
const MAX_LOAD = 2 / 3;

/** Open addressing in one typed array. */
export class HashTable {
  readonly #shape: EntryShape;
  #slots: Uint32Array;
  #count = 0;

  /** @param slots at first; a power of two */
  constructor(shape: EntryShape, slots = 1024) {
    this.#shape = shape;
    this.#slots = new Uint32Array(slots * shape.words);
  }

  get size(): number {
    return this.#count;
  }

  /** Where the entry with the key of `entry` stands in `slots`; undefined: nowhere. */
  find(entry: Uint32Array): Uint32Array | undefined {
    const at = this.#locate(entry, 0);
    return isEmpty(this.#slots, at, this.#shape.words) ? undefined : this.#slots.subarray(at, at + this.#shape.words);
  }

  /** Takes an entry whose key is not there. */
  insert(entry: Uint32Array): void {
    const { words } = this.#shape;
    if ((this.#count + 1) * words > this.#slots.length * MAX_LOAD) this.#grow();
    this.#slots.set(entry, this.#locate(entry, 0));
    this.#count += 1;
  }

  clear(): void {
    this.#slots.fill(0);
    this.#count = 0;
  }

  /** Entries one after another; each is only good until the next. */
  *entries(): Generator<Uint32Array, void, undefined> {
    const { words } = this.#shape;
    for (let at = 0; at < this.#slots.length; at += words) {
      if (!isEmpty(this.#slots, at, words)) yield this.#slots.subarray(at, at + words);
    }
  }

  #grow(): void {
    const { words } = this.#shape;
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += words) {
      if (isEmpty(old, at, words)) continue;
      const to = this.#locate(old, at);
      for (let word = 0; word < words; word++) this.#slots[to + word] = old[at + word] as number;
    }
  }

  /** The place of the key that stands at `from` in `source`, or the free one where it belongs. */
  #locate(source: Uint32Array, from: number): number {
    const { keyWords, words } = this.#shape;
    const slots = this.#slots;
    const mask = slots.length / words - 1;
    for (let slot = (source[from + 1] as number) & mask; ; slot = (slot + 1) & mask) {
      const at = slot * words;
      if (isEmpty(slots, at, words) || sameKey(slots, at, source, from, keyWords)) return at;
    }
  }
}

export function isEmpty(entries: Uint32Array, at: number, words: number): boolean {
  for (let word = 0; word < words; word++) if (entries[at + word] !== 0) return false;
  return true;
}

export function sameKey(a: Uint32Array, atA: number, b: Uint32Array, atB: number, keyWords: number): boolean {
  for (let word = 0; word < keyWords; word++) if (a[atA + word] !== b[atB + word]) return false;
  return true;
}
