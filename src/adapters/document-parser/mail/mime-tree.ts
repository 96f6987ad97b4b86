import { headerOf, type MailHeaders, type ParameterField, readHeaders, readParameters } from './mail-headers.ts';
import { unpackTransfer } from './transfer-decoding.ts';

/** A mail, or a part of one. */
export interface MimePart {
  readonly headers: MailHeaders;
  /** Media type in lower case; `text/plain` where none that is one is named. */
  readonly type: string;
  /** Whether the type was named. */
  readonly typed: boolean;
  readonly parameters: ParameterField['parameters'];
  readonly disposition: string;
  readonly filename: string | undefined;
  /** Unpacked; empty where there are `parts`. */
  readonly bytes: Uint8Array;
  /** Parts of a multipart, or the one message of a message/rfc822. */
  readonly parts: readonly MimePart[];
  /** What is wrong with its build, as a warning. */
  readonly fault?: string | undefined;
}

/** Deeper parts are no mail but an attack. */
const MAX_DEPTH = 256;

/** @throws {RangeError} parts nest deeper than 256 levels */
export function parseMime(bytes: Uint8Array): MimePart {
  const raw = Buffer.from(bytes).toString('latin1');
  // Line ends of an old Macintosh.
  const text = raw.includes('\n') ? raw : raw.replaceAll('\r', '\n');
  return parsePart(text, 0, text.length, 'text/plain', 0);
}

function parsePart(text: string, start: number, end: number, defaultType: string, depth: number): MimePart {
  if (depth > MAX_DEPTH) throw new RangeError(`its parts nest deeper than ${MAX_DEPTH} levels`);
  const { headers, body } = readHeaders(text, start, end);
  const type = readParameters(headerOf(headers, 'content-type') ?? '');
  const typed = /^[^\s/]+\/[^\s/]+$/.test(type.value);
  const disposition = readParameters(headerOf(headers, 'content-disposition') ?? '');
  const part = {
    headers,
    type: typed ? type.value : type.value === 'text' ? 'text/plain' : defaultType,
    typed,
    parameters: type.parameters,
    disposition: disposition.value,
    filename: disposition.parameters.get('filename') ?? type.parameters.get('name'),
  };
  if (part.type.startsWith('multipart/')) {
    const cut = cutParts(text, body, end, type.parameters.get('boundary'));
    if (cut !== undefined) {
      const inner = part.type === 'multipart/digest' ? 'message/rfc822' : 'text/plain';
      const parts = cut.ranges.map(([from, to]) => parsePart(text, from, to, inner, depth + 1));
      return { ...part, bytes: new Uint8Array(0), parts, fault: cut.fault };
    }
  }
  const packed = Buffer.from(text.slice(body, end), 'latin1');
  const bytes = unpackTransfer(packed, headerOf(headers, 'content-transfer-encoding') ?? '');
  if (part.type === 'message/rfc822' || part.type === 'message/global') {
    const inner = Buffer.from(bytes).toString('latin1');
    return { ...part, bytes, parts: [parsePart(inner, 0, inner.length, 'text/plain', depth + 1)] };
  }
  if (!part.type.startsWith('multipart/')) return { ...part, bytes, parts: [] };
  const fault = 'parts_not_found: the mail says that it has parts and has no boundary; it was read as one text';
  return { ...part, type: 'text/plain', bytes, parts: [], fault };
}

/** Where the parts of a multipart are; undefined where no boundary is to be found. */
function cutParts(
  text: string,
  start: number,
  end: number,
  named: string | undefined,
): { readonly ranges: readonly (readonly [from: number, to: number])[]; readonly fault?: string } | undefined {
  const said = named === undefined ? undefined : cutAt(text, start, end, named.trimEnd());
  if (said !== undefined) return said;
  // Lost or wrong: a line that begins with two hyphens and comes again with two more behind it.
  const body = text.slice(start, end);
  const [, found] = /^--(\S{1,200})[ \t]*\r?\n(?:[\s\S]*\n)?--\1--[ \t]*\r?$/m.exec(body) ?? [];
  return found === undefined ? undefined : cutAt(text, start, end, found);
}

function cutAt(text: string, start: number, end: number, boundary: string) {
  const mark = `--${boundary}`;
  const ranges: (readonly [number, number])[] = [];
  let open: number | undefined;
  for (let at = text.indexOf(mark, start); at !== -1 && at < end; at = text.indexOf(mark, at + 1)) {
    if (at > start && text[at - 1] !== '\n') continue;
    const lineEnd = text.indexOf('\n', at);
    const next = lineEnd === -1 || lineEnd >= end ? end : lineEnd + 1;
    const rest = text.slice(at + mark.length, next).trimEnd();
    if (rest !== '' && rest !== '--') continue;
    // The line break before a boundary belongs to it.
    if (open !== undefined) ranges.push([open, Math.max(open, at - (text[at - 2] === '\r' ? 2 : 1))]);
    if (rest === '--') return { ranges };
    open = next;
  }
  if (open === undefined) return undefined;
  ranges.push([open, end]);
  return { ranges, fault: 'mail_cut_off: the last boundary is missing, so that its end may be too' };
}
