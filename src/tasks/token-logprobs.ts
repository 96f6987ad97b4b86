import type { TokenLogprob } from '../prompts/question.ts';

/** Of the bytes that a reply's tokens spell. */
export interface ByteSpan {
  readonly start: number;
  readonly end: number;
}

/** The log-probability of what stands there: of all tokens that have a byte of it. */
export function sumInside(
  spelled: readonly Buffer[],
  tokens: readonly TokenLogprob[],
  { start, end }: ByteSpan,
): number {
  let position = 0;
  let sum = 0;
  for (const [index, bytes] of spelled.entries()) {
    const next = position + bytes.length;
    if (next > start && position < end) sum += tokens[index]?.logprob ?? 0;
    position = next;
  }
  return sum;
}

/** How servers write a token that is no text of its own, where they send no bytes; tried in this order. */
export const SPELLINGS: readonly ((token: TokenLogprob) => Buffer)[] = [
  // SentencePiece writes a space as U+2581.
  ({ token, bytes }) => (bytes === undefined ? Buffer.from(token.replaceAll('\u2581', ' ')) : Buffer.from(bytes)),
  // `\xe6\x8a`, `<0xE6>`
  ({ token, bytes }) => (bytes === undefined ? fromHex(token.replaceAll('\u2581', ' ')) : Buffer.from(bytes)),
  // GPT-2's letters for bytes: `Ġ` is a space.
  ({ token, bytes }) => (bytes === undefined ? fromByteLetters(token) : Buffer.from(bytes)),
];

function fromHex(token: string): Buffer {
  const [first = '', ...others] = token.split(/(?=\\x[0-9a-f]{2}|<0x[0-9a-f]{2}>)/i);
  const parts = [first, ...others].map((part) => {
    const [written, hex] = /^(?:\\x|<0x)([0-9a-f]{2})>?/i.exec(part) ?? [];
    if (written === undefined || hex === undefined) return Buffer.from(part);
    return Buffer.concat([Buffer.from(hex, 'hex'), Buffer.from(part.slice(written.length))]);
  });
  return Buffer.concat(parts);
}

/** Printable bytes stand for themselves; the others, in order, for the letters from U+0100 on. */
const BYTE_LETTERS: ReadonlyMap<string, number> = (() => {
  const letters = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const isPrintable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad);
    letters.set(String.fromCharCode(isPrintable ? byte : next++), byte);
  }
  return letters;
})();

function fromByteLetters(token: string): Buffer {
  return Buffer.concat(
    [...token].map((letter) => {
      const byte = BYTE_LETTERS.get(letter);
      return byte === undefined ? Buffer.from(letter) : Buffer.of(byte);
    }),
  );
}
