import { decodeCharset } from './decode-charset.ts';

/** Fields of a mail or part, folded lines joined; a character of a value is a byte. */
export type MailHeaders = readonly (readonly [name: string, value: string])[];

/** A field with parameters, such as Content-Type: `value` in lower case, parameters by name in lower case. */
export interface ParameterField {
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const FIELD = /^([!-9;-~]+)[ \t]*:(.*)$/s;

/** The fields at the beginning of `text`, a byte a character, and where the body begins. */
export function readHeaders(
  text: string,
  start: number,
  end: number,
): { readonly headers: MailHeaders; readonly body: number } {
  const headers: [string, string][] = [];
  let at = start;
  for (; at < end; ) {
    const lineEnd = text.indexOf('\n', at);
    const next = lineEnd === -1 || lineEnd >= end ? end : lineEnd + 1;
    const line = text.slice(at, next).replace(/\r?\n$/, '');
    if (line === '') return { headers, body: next };
    const last = headers.at(-1);
    if (/^[ \t]/.test(line) && last !== undefined) last[1] += line.trim() === '' ? '' : ` ${line.trim()}`;
    else {
      const [, name, value = ''] = FIELD.exec(line) ?? [];
      // "From " opens a message of an mbox file. Any other line that is no field is the body's, whose blank line is missing.
      if (name === undefined && !(headers.length === 0 && /^>?From /.test(line))) return { headers, body: at };
      if (name !== undefined) headers.push([name.toLowerCase(), value.trim()]);
    }
    at = next;
  }
  return { headers, body: end };
}

/** The first field of that name. */
export function headerOf(headers: MailHeaders, name: string): string | undefined {
  return headers.find(([found]) => found === name)?.[1];
}

/** `text/plain; charset="utf-8"`, with parameters in several pieces (RFC 2231) put together. */
export function readParameters(field: string): ParameterField {
  const [value = ''] = field.split(';', 1);
  const pieces = new Map<string, { at: number; text: string; encoded: boolean }[]>();
  const rest = field.slice(value.length);
  for (const match of rest.matchAll(/;\s*([^\s=;*]+)(?:\*(\d+))?(\*)?\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^;]*))/gs)) {
    const [, name = '', number = '0', star, quoted, plain = ''] = match;
    // A comment may be behind a value that has no quotes.
    const text = quoted === undefined ? plain.replace(/\s*\(.*$/s, '').trim() : quoted.replace(/\\(.)/gs, '$1');
    const known = pieces.get(name.toLowerCase()) ?? [];
    known.push({ at: Number(number), text, encoded: star !== undefined });
    pieces.set(name.toLowerCase(), known);
  }
  const parameters = new Map<string, string>();
  for (const [name, list] of pieces) parameters.set(name, joinPieces(list));
  return {
    value: value
      .replace(/\(.*?\)/gs, '')
      .trim()
      .toLowerCase(),
    parameters,
  };
}

function joinPieces(list: { readonly at: number; readonly text: string; readonly encoded: boolean }[]): string {
  const ordered = list.toSorted((a, b) => a.at - b.at);
  const charset = ordered[0]?.encoded === true ? (/^([^']*)'[^']*'/.exec(ordered[0].text)?.[1] ?? '') : '';
  const bytes = ordered.map(({ text, encoded }, index) => {
    if (!encoded) return text;
    const bare = index === 0 ? text.replace(/^[^']*'[^']*'/, '') : text;
    return bare.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  });
  const decoded = decodeCharset(Buffer.from(bytes.join(''), 'latin1'), charset);
  return 'text' in decoded ? decodeWords(decoded.text) : bytes.join('');
}

export interface DecodedField {
  readonly text: string;
  /** See {@link decodeCharset}. */
  readonly guess?: string | undefined;
}

/** A field as people read it: its bytes, UTF-8 or else in the mail's own encoding, then its encoded words (RFC 2047). */
export function decodeField(raw: string, charset: string | undefined): DecodedField {
  const { text, guess } = fieldText(raw, charset);
  return { text: decodeWords(text), guess };
}

/** As {@link decodeField}, with the encoded words left for a parser that splits the field first, all of them in UTF-8. */
export function decodeAddressField(raw: string, charset: string | undefined): DecodedField {
  const { text, guess } = fieldText(raw, charset);
  return { text: replaceWords(text, (word) => `=?utf-8?b?${Buffer.from(word).toString('base64')}?=`), guess };
}

function fieldText(raw: string, charset: string | undefined): DecodedField {
  const bytes = Buffer.from(raw, 'latin1');
  const alone = decodeCharset(bytes);
  const decoded = 'guess' in alone && charset !== undefined ? decodeCharset(bytes, charset) : alone;
  return 'text' in decoded
    ? decoded
    : { text: new TextDecoder('windows-1252').decode(bytes), guess: 'as windows-1252' };
}

function decodeWords(text: string): string {
  return replaceWords(text, (word) => word);
}

/** Words side by side in one encoding are one text: a character may begin in one and end in the next. */
function replaceWords(text: string, write: (word: string) => string): string {
  const run = /=\?[^?\s]+\?[bq]\?[^?]*\?=(?:\s*=\?[^?\s]+\?[bq]\?[^?]*\?=)*/gi;
  return text.replace(run, (words) => {
    const pieces: { charset: string; bytes: Uint8Array[] }[] = [];
    for (const [, charset = '', kind = '', packed = ''] of words.matchAll(
      /=\?([^?*\s]+)(?:\*[^?]*)?\?([bq])\?([^?]*)\?=/gi,
    )) {
      const bytes = kind.toLowerCase() === 'b' ? Buffer.from(packed, 'base64') : unpackQ(packed);
      const last = pieces.at(-1);
      if (last !== undefined && last.charset === charset.toLowerCase()) last.bytes.push(bytes);
      else pieces.push({ charset: charset.toLowerCase(), bytes: [bytes] });
    }
    const decoded = pieces.map(({ charset, bytes }) => decodeCharset(Buffer.concat(bytes), charset));
    if (decoded.some((piece) => 'fault' in piece)) return words;
    return write(decoded.map((piece) => ('text' in piece ? piece.text : '')).join(''));
  });
}

function unpackQ(packed: string): Uint8Array {
  const text = packed
    .replaceAll('_', ' ')
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(text, 'latin1');
}
