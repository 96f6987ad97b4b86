import { HashFile } from './hash-file.ts';
import { type EntryShape, HashTable } from './hash-table.ts';

/** Hashes that are kept in memory before they go into a file. */
export const KEPT_IN_MEMORY = 40_000;

/**
 * Remembers hashes, each with its value: some in memory, more of them in a temporary file, so that memory does not grow with
 * them. Where no such file can be written all of them stay in memory. Exact either way: an entry is known only by its whole
 * hash.
 */
export class KnownHashes implements Disposable {
  readonly #shape: EntryShape;
  readonly #keptInMemory: number;
  #table: HashTable | undefined;
  #file: HashFile | undefined;
  #size = 0;

  /** @param keptInMemory default: all */
  constructor(shape: EntryShape, keptInMemory = Number.POSITIVE_INFINITY) {
    this.#shape = shape;
    this.#keptInMemory = keptInMemory;
    this.#table = new HashTable(shape);
  }

  get size(): number {
    return this.#size;
  }

  /** The entry with the key of `entry`; only good until the next call. */
  find(entry: Uint32Array): Uint32Array | undefined {
    return this.#table?.find(entry) ?? this.#file?.find(entry);
  }

  /** The entry that is there with the same key; undefined: none was, and now it is this one. */
  add(entry: Uint32Array): Uint32Array | undefined {
    const known = this.find(entry);
    if (known !== undefined) return known;
    if (this.#file === undefined) this.#insertInMemory(entry);
    else this.#insertInFile(this.#file, entry);
    this.#size += 1;
    return undefined;
  }

  #insertInMemory(entry: Uint32Array): void {
    const table = this.#table as HashTable;
    table.insert(entry);
    if (table.size !== this.#keptInMemory) return;
    try {
      this.#file = new HashFile(this.#shape, table);
      this.#table = undefined;
    } catch {
      // There is no room for temporary files: the table grows on.
    }
  }

  #insertInFile(file: HashFile, entry: Uint32Array): void {
    try {
      file.insert(entry);
    } catch {
      // The disk is full, maybe.
      const table = new HashTable(this.#shape);
      // The new entry is among them.
      for (const each of file.entries()) if (table.find(each) === undefined) table.insert(each);
      this.#table = table;
      this[Symbol.dispose]();
      this.#file = undefined;
    }
  }

  [Symbol.dispose](): void {
    this.#file?.[Symbol.dispose]();
  }
}
