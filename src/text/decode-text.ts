import { findInvalidUtf8 } from './find-invalid-utf8.ts';

// A byte order mark at the start is dropped.
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The name of an encoding as decoders call it, e.g. `windows-1252` for `latin1`; undefined where there is none. */
export function canonicalEncoding(label: string): string | undefined {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return undefined;
  }
}

/** The encoding that a byte order mark at the start names; it is more certain than what anyone says. */
export function encodingOfMark(bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' | undefined {
  const [first, second, third] = bytes;
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  return first === 0xef && second === 0xbb && third === 0xbf ? 'utf-8' : undefined;
}

/**
 * Text of a whole file: as its byte order mark says, else in `encoding`, else UTF-8.
 *
 * @param encoding a label that TextDecoder knows
 * @returns `fault`: what is wrong, as a sentence that begins after "The file " or "The line "
 */
export function decodeText(
  bytes: Uint8Array,
  encoding?: string,
): { readonly text: string } | { readonly fault: string } {
  const label = encodingOfMark(bytes) ?? encoding ?? 'utf-8';
  try {
    return { text: (label === 'utf-8' ? utf8 : new TextDecoder(label, { fatal: true })).decode(bytes) };
  } catch {
    return { fault: label === 'utf-8' ? describeInvalidUtf8(bytes) : `is not text in the encoding ${label}` };
  }
}

/** Where bytes stop being UTF-8, and what to do, as a sentence that begins after "The file " or "The line ". */
export function describeInvalidUtf8(bytes: Uint8Array): string {
  const at = findInvalidUtf8(bytes) ?? 0;
  const value = (bytes[at] ?? 0).toString(16).padStart(2, '0');
  return `is not UTF-8 text: byte ${at + 1} of it is 0x${value}. Name its encoding, for example --encoding windows-1252, or convert it with iconv`;
}
