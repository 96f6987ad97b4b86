import { NamelessFile } from '../../runtime/nameless-file.ts';
import { type EntryShape, HashTable, sameKey } from './hash-table.ts';

/** Entries of a bucket. Hashes fill the first bucket when the file is about half full. */
const BUCKET = 64;
/** Bits of the filter for each place: 7 to 14 for each hash that is there. */
const FILTER_BITS = 4;
const FILTER_PROBES = 4;
/** Buckets that are read and written at once. */
const STEP = 64;
/** Hashes that wait to be written: the more, the more of them come into one step. */
const MOST_WAITING = 8_192;
/** As many writes of one entry cost less than reading and writing a step. */
const FEW = 6;
/** A file this empty with a full bucket has hashes that are not well mixed: doubling would go on forever. */
const MIN_LOAD = 0.2;

/**
 * A hash table in a temporary file. Memory holds a filter, a byte or two a hash, and a count for each bucket. A hash stands in the bucket that its first bits name, so that doubling reads
 * and writes once from the beginning to the end.
 */
export class HashFile implements Disposable {
  readonly #shape: EntryShape;
  /** Bits of the first word that name the bucket. */
  #bits: number;
  #file = new NamelessFile();
  #counts: Uint8Array;
  #filter: Uint32Array;
  #size = 0;
  /** Of one bucket. */
  readonly #bucket: Uint32Array;
  /** Of one step of buckets. */
  readonly #step: Uint32Array;
  readonly #waiting: HashTable;
  /** For buckets that are full although the file is not. */
  readonly #overflow: HashTable;

  /**
   * @param entries of a table, different ones
   * @throws what the operating system says where no temporary file can be written
   */
  constructor(shape: EntryShape, entries: HashTable, bits = bitsFor(entries.size)) {
    this.#shape = shape;
    this.#bucket = new Uint32Array(BUCKET * shape.words);
    this.#step = new Uint32Array(STEP * BUCKET * shape.words);
    this.#waiting = new HashTable(shape, MOST_WAITING * 2);
    this.#overflow = new HashTable(shape);
    this.#bits = bits;
    this.#counts = new Uint8Array(2 ** bits);
    this.#filter = filterFor(bits);
    try {
      for (const entry of entries.entries()) this.insert(entry);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** The entry with the key of `entry`; only good until the next call. */
  find(entry: Uint32Array): Uint32Array | undefined {
    const waiting = this.#waiting.find(entry);
    if (waiting !== undefined || !mayHave(this.#filter, entry)) return waiting;
    const { keyWords, words } = this.#shape;
    const bucket = bucketOf(entry[0] as number, this.#bits);
    const count = this.#counts[bucket] as number;
    this.#file.read(bytesOf(this.#bucket.subarray(0, count * words)), this.#offset(bucket));
    for (let at = 0; at < count * words; at += words) {
      if (sameKey(this.#bucket, at, entry, 0, keyWords)) return this.#bucket.subarray(at, at + words);
    }
    return this.#overflow.find(entry);
  }

  /** Takes an entry whose key is not there. Where it throws, all that was there before still is, and so is this one. */
  insert(entry: Uint32Array): void {
    this.#waiting.insert(entry);
    if (this.#waiting.size === MOST_WAITING) this.#flush();
  }

  /** Writes what waits, from the beginning of the file to its end. */
  #flush(): void {
    const entries = [...this.#waiting.entries()].map((entry) => entry.slice());
    entries.sort((a, b) => (a[0] as number) - (b[0] as number));
    for (let from = 0; from < entries.length; ) {
      const first = stepOf(entries[from], this.#bits);
      let to = from + 1;
      while (to < entries.length && stepOf(entries[to], this.#bits) === first) to += 1;
      if (this.#writeStep(first, entries.slice(from, to))) from = to;
      else this.#grow();
    }
    this.#waiting.clear();
  }

  /** @returns false where a bucket has no room, so that the file must double; nothing is written then */
  #writeStep(first: number, entries: readonly Uint32Array[]): boolean {
    const { words } = this.#shape;
    const before = this.#counts.slice(first, first + STEP);
    const placed: { readonly entry: Uint32Array; readonly at: number }[] = [];
    for (const entry of entries) {
      const bucket = bucketOf(entry[0] as number, this.#bits);
      const count = this.#counts[bucket] as number;
      if (count < BUCKET) {
        placed.push({ entry, at: ((bucket - first) * BUCKET + count) * words });
        this.#counts[bucket] = count + 1;
      } else if (this.#size < this.#counts.length * BUCKET * MIN_LOAD) {
        if (this.#overflow.find(entry) === undefined) this.#overflow.insert(entry);
      } else {
        this.#counts.set(before, first);
        return false;
      }
    }
    try {
      this.#writePlaced(first, placed);
    } catch (error) {
      this.#counts.set(before, first);
      throw error;
    }
    for (const entry of entries) mark(this.#filter, entry);
    this.#size += placed.length;
    return true;
  }

  #writePlaced(first: number, placed: readonly { readonly entry: Uint32Array; readonly at: number }[]): void {
    if (placed.length < FEW) {
      for (const { entry, at } of placed) this.#file.write(bytesOf(entry), this.#offset(first) + at * 4);
      return;
    }
    const buckets = Math.min(STEP, this.#counts.length - first);
    const step = this.#step.subarray(0, buckets * BUCKET * this.#shape.words);
    this.#file.read(bytesOf(step), this.#offset(first));
    for (const { entry, at } of placed) step.set(entry, at);
    this.#file.write(bytesOf(step), this.#offset(first));
  }

  /** All entries, some of them twice where one could not be written; each is only good until the next. */
  *entries(): Generator<Uint32Array, void, undefined> {
    const { words } = this.#shape;
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      const count = this.#counts[bucket] as number;
      const entries = this.#bucket.subarray(0, count * words);
      this.#file.read(bytesOf(entries), this.#offset(bucket));
      for (let at = 0; at < entries.length; at += words) yield entries.subarray(at, at + words);
    }
    yield* this.#overflow.entries();
    yield* this.#waiting.entries();
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }

  #offset(bucket: number): number {
    return bucket * BUCKET * this.#shape.words * 4;
  }

  /** Each bucket becomes two, beside each other as it was beside its neighbours. */
  #grow(): void {
    const { words } = this.#shape;
    const bits = this.#bits + 1;
    const counts = new Uint8Array(this.#counts.length * 2);
    const filter = filterFor(bits);
    const bucketWords = BUCKET * words;
    const from = this.#step;
    const to = new Uint32Array(2 * from.length);
    const file = new NamelessFile();
    try {
      for (let first = 0; first < this.#counts.length; first += STEP) {
        const buckets = Math.min(STEP, this.#counts.length - first);
        this.#file.read(bytesOf(from.subarray(0, buckets * bucketWords)), this.#offset(first));
        for (let bucket = first; bucket < first + buckets; bucket++) {
          const begin = (bucket - first) * bucketWords;
          for (let at = begin; at < begin + (this.#counts[bucket] as number) * words; at += words) {
            const entry = from.subarray(at, at + words);
            const target = bucketOf(entry[0] as number, bits);
            const place = counts[target] as number;
            to.set(entry, (target - 2 * first) * bucketWords + place * words);
            counts[target] = place + 1;
            mark(filter, entry);
          }
        }
        file.write(bytesOf(to.subarray(0, 2 * buckets * bucketWords)), 2 * this.#offset(first));
      }
    } catch (error) {
      file[Symbol.dispose]();
      throw error;
    }
    for (const entry of this.#overflow.entries()) mark(filter, entry);
    this.#file[Symbol.dispose]();
    this.#file = file;
    this.#bits = bits;
    this.#counts = counts;
    this.#filter = filter;
  }
}

/** Half full at most. */
function bitsFor(entries: number): number {
  return Math.max(1, Math.ceil(Math.log2((2 * entries) / BUCKET)));
}

function stepOf(entry: Uint32Array | undefined, bits: number): number {
  const bucket = bucketOf(entry?.[0] ?? 0, bits);
  return bucket - (bucket % STEP);
}

function bucketOf(word: number, bits: number): number {
  return word >>> (32 - bits);
}

function filterFor(bits: number): Uint32Array {
  return new Uint32Array(Math.max(1, (2 ** bits * BUCKET * FILTER_BITS) / 32));
}

function mark(filter: Uint32Array, entry: Uint32Array): void {
  for (let probe = 1; probe <= FILTER_PROBES; probe++) {
    const bit = filterBit(filter, entry, probe);
    filter[bit >>> 5] = (filter[bit >>> 5] as number) | (1 << (bit & 31));
  }
}

function mayHave(filter: Uint32Array, entry: Uint32Array): boolean {
  for (let probe = 1; probe <= FILTER_PROBES; probe++) {
    const bit = filterBit(filter, entry, probe);
    if (((filter[bit >>> 5] as number) & (1 << (bit & 31))) === 0) return false;
  }
  return true;
}

/** Steps of the second word from the first one on. */
function filterBit(filter: Uint32Array, entry: Uint32Array, probe: number): number {
  return ((entry[0] as number) + probe * (entry[1] as number)) & (filter.length * 32 - 1);
}

function bytesOf(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}
