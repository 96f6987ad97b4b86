import { canonicalEncoding } from '../../../text/decode-text.ts';
import { decodeUtf32, detectWideEncoding } from '../../../text/detect-encoding.ts';
import { DOS_CODE_PAGES } from './dos-code-pages.ts';
import { decodeUtf7 } from './utf-7.ts';

export type DecodedText =
  /** `guess`: how it was read where that is not certain, as the end of a sentence. */
  | { readonly text: string; readonly guess?: string }
  /** Why it cannot be read, as the end of a sentence that begins with the part's name. */
  | { readonly fault: string };

/** Labels that name no encoding, or only that it is plain. */
const SAYS_NOTHING = new Set([
  '',
  'us-ascii',
  'ascii',
  'ansi_x3.4-1968',
  'unknown-8bit',
  'x-unknown',
  'unknown',
  'default',
  'ansi',
  'x-user-defined',
]);
/** What programs write for encodings that the WHATWG knows by other names. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['cp932', 'shift_jis'],
  ['ms932', 'shift_jis'],
  ['ms936', 'gbk'],
  ['ms949', 'euc-kr'],
  ['ms950', 'big5'],
  ['cp936', 'gbk'],
  ['cp949', 'euc-kr'],
  ['cp950', 'big5'],
  ['cp874', 'windows-874'],
  ['big5-tw', 'big5'],
  ['eucjp', 'euc-jp'],
  ['euckr', 'euc-kr'],
  ['eucgb2312-cn', 'gbk'],
  ['latin-1', 'windows-1252'],
  ['macroman', 'macintosh'],
  ['mac-roman', 'macintosh'],
  ['utf-8-sig', 'utf-8'],
  ['utf8mb4', 'utf-8'],
]);
const DOS_LABEL = /^(?:cs|x-)?(?:cp|ibm|dos|pc|pc8codepage)?-?(\d{3})(?:multilingual)?$/;
const UTF_7 = new Set(['utf-7', 'utf7', 'unicode-1-1-utf-7', 'csunicode11utf7', 'x-unicode-1-1-utf-7']);

/** Chinese and Korean in seven bits, which browsers no longer read. */
const SHIFTED = new Set(['hz-gb-2312', 'hz', 'iso-2022-kr', 'csiso2022kr']);

/** The encodings whose text is seldom valid UTF-8 with more than ASCII in it. */
const WESTERN = new Set(['windows-1252', 'iso-8859-15']);

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Text of bytes as they stand in mails: with a label that is right, absent, wrong or unknown. UTF-8 where they are, which is
 * hardly ever a coincidence; where nothing is known, windows-1252, and it is said.
 */
export function decodeCharset(bytes: Uint8Array, label = ''): DecodedText {
  const name = label.trim().toLowerCase();
  if (SAYS_NOTHING.has(name)) return decodeUndeclared(bytes);
  if (UTF_7.has(name)) return { text: decodeUtf7(Buffer.from(bytes).toString('latin1')) };
  const page = DOS_CODE_PAGES.get(`cp${DOS_LABEL.exec(name)?.[1]}`);
  if (page !== undefined) return { text: decodePage(bytes, page) };
  if (/^(?:iso-10646-)?(?:utf-?16|utf-?32|ucs-?[24])/.test(name)) return decodeWide(bytes, name);
  const encoding = encodingOfLabel(name);
  if (SHIFTED.has(name)) return { text: decodeShifted(bytes, name) };
  if (encoding === undefined) return decodeUnknown(bytes, label);
  if (encoding === 'utf-8') return decodeDeclaredUtf8(bytes);
  if (WESTERN.has(encoding)) {
    const text = decodeStrictly(bytes);
    if (text !== undefined && /[^\0-\x7f]/.test(text))
      return { text, guess: `as UTF-8 and not as ${name}, which it says` };
  }
  if (encoding === 'iso-2022-jp') return decodeJapanese(bytes);
  return marked(new TextDecoder(encoding).decode(bytes), encoding);
}

/** Mails change to ASCII and back with nothing between, where lines and encoded words are joined; decoders refuse that. */
function decodeJapanese(bytes: Uint8Array): DecodedText {
  const text = Buffer.from(bytes).toString('latin1');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const plain = text.replace(/\x1b(?:\$[@B]|\([BIJ])(?=\x1b(?:\$[@B]|\([BIJ]))/g, '');
  return marked(new TextDecoder('iso-2022-jp').decode(Buffer.from(plain, 'latin1')), 'iso-2022-jp');
}

/** Between its marks each pair of letters is a character of GB 2312 or KS X 1001: the same bytes with their high bit. */
function decodeShifted(bytes: Uint8Array, name: string): string {
  const text = Buffer.from(bytes).toString('latin1');
  const high = (part: string) =>
    Buffer.from(
      part.replace(/[!-~]/g, (one) => String.fromCharCode(one.charCodeAt(0) | 0x80)),
      'latin1',
    );
  if (name.startsWith('hz')) {
    const gb = new TextDecoder('gbk');
    return text.replace(/~\{([\s\S]*?)(?:~\}|$)|~~|~\n/g, (mark, part?: string) =>
      part === undefined ? (mark === '~~' ? '~' : '') : gb.decode(high(part)),
    );
  }
  const korean = new TextDecoder('euc-kr');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/\x1b\$\)C/g, '').replace(/\x0e([^\x0f]*)\x0f?/g, (_, part: string) => korean.decode(high(part)));
}

function encodingOfLabel(name: string): string | undefined {
  const plain = name.replaceAll('_', '-');
  const windows = /^(?:x-)?(?:windows|win|cp|ms|ansi)-?(125\d)$/.exec(plain)?.[1];
  const iso = /^(?:x-)?iso-?8859-?(\d{1,2})\b/.exec(plain)?.[1];
  const guess = windows !== undefined ? `windows-${windows}` : iso !== undefined ? `iso-8859-${iso}` : plain;
  return canonicalEncoding(name) ?? canonicalEncoding(ALIASES.get(plain) ?? guess);
}

function decodeUndeclared(bytes: Uint8Array): DecodedText {
  const start = Buffer.from(bytes.subarray(0, 4096)).toString('latin1');
  if (start.includes('\x1b$B') || start.includes('\x1b$@')) {
    return decodeJapanese(bytes);
  }
  if (detectWideEncoding(bytes) !== undefined) return decodeWide(bytes, '');
  const text = decodeStrictly(bytes);
  return text !== undefined
    ? { text }
    : {
        text: new TextDecoder('windows-1252').decode(bytes),
        guess: 'as windows-1252, since it names no encoding and is not UTF-8',
      };
}

function decodeDeclaredUtf8(bytes: Uint8Array): DecodedText {
  const text = decodeStrictly(bytes);
  if (text !== undefined) return { text };
  const lenient = new TextDecoder().decode(bytes);
  if (/[^\0-\x7f\ufffd]/.test(lenient)) return marked(lenient, 'utf-8');
  return {
    text: new TextDecoder('windows-1252').decode(bytes),
    guess: 'as windows-1252 and not as utf-8, which it says and is not',
  };
}

function decodeUnknown(bytes: Uint8Array, label: string): DecodedText {
  const text = decodeStrictly(bytes);
  if (text === undefined) return { fault: `is in the encoding "${label.slice(0, 40)}", which is not known` };
  return { text };
}

function decodeWide(bytes: Uint8Array, name: string): DecodedText {
  const [first, second] = bytes;
  const marks =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : undefined;
  const said = /(?:le|be)$/.exec(name) === null ? undefined : name.replace(/[^a-z0-9]/g, '').replace('utf', 'utf-');
  const encoding = marks ?? detectWideEncoding(bytes) ?? said ?? 'utf-16be';
  if (encoding.startsWith('utf-32')) {
    return { text: decodeUtf32(bytes.subarray(0, bytes.length & ~3), encoding.endsWith('le')) ?? '' };
  }
  return marked(new TextDecoder(encoding.endsWith('le') ? 'utf-16le' : 'utf-16be').decode(bytes), encoding);
}

function decodeStrictly(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

function decodePage(bytes: Uint8Array, page: string): string {
  return Buffer.from(bytes)
    .toString('latin1')
    .replace(/[\x80-\xff]/g, (character) => page[character.charCodeAt(0) - 0x80] ?? '\ufffd');
}

/** Text as it was decoded, with a word on the places where the bytes are not in the encoding. */
function marked(text: string, encoding: string): DecodedText {
  const wrong = text.split('\ufffd').length - 1;
  return wrong === 0 ? { text } : { text, guess: `as ${encoding}, with ${wrong} places that are not` };
}
