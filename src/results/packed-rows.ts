import { gunzip, gzip } from '../runtime/gzip.ts';

const ROWS_A_BLOCK = 500;
/** Unpacked at once: enough for a reader that goes through the rows in their order, or in two. */
const OPEN_BLOCKS = 4;

/** Rows by their number, kept packed: about 60 bytes each where plain ones would take 500. */
export class PackedRows {
  readonly #blocks: Uint8Array[] = [];
  readonly #open = new Map<number, Promise<readonly string[]>>();
  #last: string[] = [];

  async push(row: string): Promise<void> {
    this.#last.push(row);
    if (this.#last.length < ROWS_A_BLOCK) return;
    this.#blocks.push(await gzip(this.#last.join('\n')));
    this.#last = [];
  }

  async get(number: number): Promise<string | undefined> {
    const block = Math.floor(number / ROWS_A_BLOCK);
    const at = number % ROWS_A_BLOCK;
    if (block === this.#blocks.length) return this.#last[at];
    const packed = this.#blocks[block];
    if (packed === undefined) return undefined;
    let rows = this.#open.get(block);
    if (rows === undefined) {
      rows = gunzip(packed).then((bytes) => bytes.toString().split('\n'));
      const [oldest] = this.#open.keys();
      if (this.#open.size >= OPEN_BLOCKS && oldest !== undefined) this.#open.delete(oldest);
      this.#open.set(block, rows);
    }
    return (await rows)[at];
  }
}
