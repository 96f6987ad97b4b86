import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** No token has these bytes. Greater than every rank. */
export const NO_RANK = 0x7fffffff;
/** A power of two, more than twice the tokens. */
const SLOTS = 1 << 19;
const NEWLINE = 0x0a;
const SPACE = 0x20;
const PADDING = 0xff;
/** Of each Base64 character its six bits. */
const VALUES = new Uint8Array(256).fill(PADDING);
Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/').forEach((character, value) => {
  VALUES[character] = value;
});

/**
 * The o200k_base vocabulary in five flat arrays. As strings in a map, its 200,000 tokens would take 90 MB, and every
 * collection of garbage would walk them.
 */
export class Vocabulary {
  /** All tokens, one after the other. */
  readonly #bytes: Uint8Array;
  /** Token `rank` reaches from `#offsets[rank]` to `#offsets[rank + 1]`. A token's rank is also its id. */
  readonly #offsets: Int32Array;
  /** Ranks by the hash of their bytes, plus one; 0 is an empty slot. A slot that is taken passes on to the next one. */
  readonly #slots = new Int32Array(SLOTS);
  readonly #idsOfBytes = new Int32Array(256);

  /** @param lines one token a line in the order of rank: its bytes in Base64, a space, its rank */
  constructor(lines: Uint8Array) {
    const tokens = decodeTokens(lines);
    this.#bytes = tokens.bytes;
    this.#offsets = tokens.offsets;
    const [bytes, offsets, slots] = [this.#bytes, this.#offsets, this.#slots];
    let start = 0;
    for (let rank = 0; rank < offsets.length - 1; rank++) {
      const end = offsets[rank + 1] as number;
      let slot = slotOf(bytes, start, end);
      while (slots[slot] !== 0) slot = (slot + 1) % SLOTS;
      slots[slot] = rank + 1;
      if (end - start === 1) this.#idsOfBytes[bytes[start] as number] = rank;
      start = end;
    }
  }

  idOfByte(byte: number): number {
    return this.#idsOfBytes[byte] as number;
  }

  /** Rank of the token that is `text` from `start` up to `end`, or {@link NO_RANK}. */
  rankOf(text: Uint8Array, start: number, end: number): number {
    for (let slot = slotOf(text, start, end); this.#slots[slot] !== 0; slot = (slot + 1) % SLOTS) {
      const rank = (this.#slots[slot] as number) - 1;
      if (this.#isToken(rank, text, start, end)) return rank;
    }
    return NO_RANK;
  }

  #isToken(rank: number, text: Uint8Array, start: number, end: number): boolean {
    const offset = this.#offsets[rank] as number;
    const length = end - start;
    if ((this.#offsets[rank + 1] as number) - offset !== length) return false;
    for (let index = 0; index < length; index++) {
      if (this.#bytes[offset + index] !== text[start + index]) return false;
    }
    return true;
  }
}

/** Takes 0.1 s, so commands that count nothing must not pay for it. */
export function loadVocabulary(): Vocabulary {
  const require = createRequire(import.meta.url);
  return new Vocabulary(readFileSync(require.resolve('gpt-tokenizer/data/o200k_base.tiktoken')));
}

/** FNV-1a, its upper bits folded into the lower. */
function slotOf(text: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let index = start; index < end; index++) hash = Math.imul(hash ^ (text[index] as number), 0x01000193);
  return (hash ^ (hash >>> 15)) & (SLOTS - 1);
}

function decodeTokens(lines: Uint8Array): { readonly bytes: Uint8Array; readonly offsets: Int32Array } {
  // Four characters are three bytes, and a line has five characters at least.
  const bytes = new Uint8Array((lines.length * 3) >> 2);
  const offsets = new Int32Array(Math.ceil(lines.length / 5) + 1);
  let tokens = 0;
  let written = 0;
  for (let at = 0; at < lines.length; at++) {
    let bits = 0;
    let held = 0;
    for (; lines[at] !== SPACE; at++) {
      const value = VALUES[lines[at] as number] as number;
      if (value === PADDING) continue;
      held = ((held << 6) | value) & 0xffff;
      bits += 6;
      if (bits < 8) continue;
      bits -= 8;
      bytes[written++] = held >>> bits;
    }
    tokens += 1;
    offsets[tokens] = written;
    // The rank: the line's place says it.
    while (at < lines.length && lines[at] !== NEWLINE) at++;
  }
  return { bytes: bytes.slice(0, written), offsets: offsets.slice(0, tokens + 1) };
}
