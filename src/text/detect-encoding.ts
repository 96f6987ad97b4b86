/** Enough of a text to tell its encoding. */
const SAMPLE_BYTES = 64 * 1024;

/** Of the bytes: more is no text in one byte a character. */
const MANY_NULS = 0.2;

export type WideEncoding = 'utf-16le' | 'utf-16be' | 'utf-32le' | 'utf-32be';

/**
 * The encoding of text that has NUL bytes and no byte order mark: the way of reading it in two or four bytes a character
 * that gives characters in use and the most common ones among them. Undefined: no NUL, or no such way.
 */
export function detectWideEncoding(bytes: Uint8Array): WideEncoding | undefined {
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  if (sample.length < 4 || !sample.includes(0)) return undefined;
  if (isUtf32(sample, true)) return 'utf-32le';
  if (isUtf32(sample, false)) return 'utf-32be';
  if (bytes.length % 2 !== 0 || isUtf8WithNuls(sample)) return undefined;
  const little = commonCharacters(sample, 'utf-16le');
  const big = commonCharacters(sample, 'utf-16be');
  if (little.all === 0 && big.all === 0) return undefined;
  // Spaces and full stops of ASCII stand in most texts, and the same bytes the other way round in none.
  const plain = little.plain - big.plain;
  return (plain === 0 ? little.all - big.all : plain) >= 0 ? 'utf-16le' : 'utf-16be';
}

/** UTF-16 that happens to be UTF-8 as well has NUL in every second place, or control characters. */
function isUtf8WithNuls(sample: Uint8Array): boolean {
  const nuls = sample.reduce((sum, byte) => sum + (byte === 0 ? 1 : 0), 0);
  if (nuls > sample.length * MANY_NULS) return false;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(sample, { stream: true });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    return !/[\x01-\x08\x0e-\x1a\x1c-\x1f]/.test(text);
  } catch {
    return false;
  }
}

function isUtf32(sample: Uint8Array, littleEndian: boolean): boolean {
  const view = new DataView(sample.buffer, sample.byteOffset, sample.byteLength);
  for (let at = 0; at + 4 <= sample.length; at += 4) {
    const point = view.getUint32(at, littleEndian);
    if (point === 0 || point > 0x10_ffff || (point >= 0xd800 && point <= 0xdfff)) return false;
  }
  return true;
}

/** Characters of Latin scripts, kana and punctuation, and spaces and stops of ASCII; none where some are not in use at all. */
function commonCharacters(
  sample: Uint8Array,
  encoding: 'utf-16le' | 'utf-16be',
): { readonly all: number; readonly plain: number } {
  const none = { all: 0, plain: 0 };
  let text: string;
  try {
    // The sample may end in the middle of a character.
    text = new TextDecoder(encoding, { fatal: true }).decode(sample, { stream: true });
  } catch {
    return none;
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\0-\x08\x0e-\x1a\x1c-\x1f]|[\p{Cn}\p{Co}]/u.test(text)) return none;
  return {
    all: text.match(/[\t-\r -~\u00a0-\u024f\u2000-\u206f\u3000-\u30ff]/g)?.length ?? 0,
    plain: text.match(/[\n ,.]/g)?.length ?? 0,
  };
}

/** Text of UTF-32, which TextDecoder does not know; undefined where it is not. A byte order mark is dropped. */
export function decodeUtf32(bytes: Uint8Array, littleEndian: boolean): string | undefined {
  if (bytes.length % 4 !== 0 || !isUtf32(bytes, littleEndian)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 4) parts.push(String.fromCodePoint(view.getUint32(at, littleEndian)));
  return parts.join('').replace(/^\ufeff/, '');
}
