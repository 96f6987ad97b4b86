import { findBinaryFormat } from '../../../text/find-binary-format.ts';
import { MAX_HTML_BYTES, markupToText } from '../html-to-text.ts';
import { calendarToText } from './calendar-to-text.ts';
import { decodeCharset } from './decode-charset.ts';
import { enrichedToText } from './enriched-to-text.ts';
import type { MimePart } from './mime-tree.ts';
import { rtfToText } from './rtf-to-text.ts';
import { findUuencoded } from './transfer-decoding.ts';

/** Something in a mail that was not read. */
export interface UnreadPart {
  /** `letter`: it holds what the sender wrote. `picture`: shown inside the letter. */
  readonly kind: 'letter' | 'attachment' | 'picture';
  /** A file name, or what it is. */
  readonly name: string;
  readonly bytes: number;
  readonly code: 'no_text' | 'too_large' | 'not_utf8';
}

export interface PartText {
  readonly text: string;
  readonly warnings: readonly string[];
  readonly unread: readonly UnreadPart[];
}

const REPORTS = new Set([
  'message/delivery-status',
  'message/global-delivery-status',
  'message/disposition-notification',
  'message/global-disposition-notification',
  'message/feedback-report',
  'message/global-headers',
  'message/news',
]);
const RTF = new Set(['text/rtf', 'text/richtext', 'application/rtf', 'application/x-rtf']);
const SIGNATURES = /^application\/(?:pgp-signature|(?:x-)?pkcs7-signature|pgp-keys)$/;

/** Whether a part is text that a mail program shows or opens. */
export function isTextPart({ type }: MimePart): boolean {
  return type.startsWith('text/') || REPORTS.has(type) || RTF.has(type);
}

/** Text of a part that has no parts, or what of it was not read. */
export function partToText(part: MimePart): PartText {
  if (SIGNATURES.test(part.type)) return { text: '', warnings: [], unread: [] };
  const binary = isTextPart(part) ? findBinaryFormat(part.bytes) : undefined;
  if (binary !== undefined && binary !== 'an RTF document') return unread('attachment', part, binary);
  if (isTextPart(part)) return textOf(part);
  if (/^application\/(?:x-)?pkcs7-mime$/.test(part.type))
    return unread('letter', part, 'an S/MIME letter, signed or encrypted');
  if (part.type === 'multipart/encrypted') return unread('letter', part, 'an encrypted letter (PGP)');
  if (part.type === 'application/ms-tnef' || part.filename?.toLowerCase() === 'winmail.dat') {
    return unread('attachment', part, "winmail.dat, Outlook's own format");
  }
  if (part.type === 'message/partial') {
    const { parameters } = part;
    const piece = `piece ${parameters.get('number') ?? '?'} of ${parameters.get('total') ?? '?'} of a message that was cut up`;
    return {
      text: '',
      warnings: [],
      unread: [{ kind: 'letter', name: piece, bytes: part.bytes.length, code: 'no_text' }],
    };
  }
  if (part.type.startsWith('image/') && part.disposition !== 'attachment') return unread('picture', part, part.type);
  return unread('attachment', part, part.type);
}

function unread(kind: UnreadPart['kind'], part: MimePart, what: string): PartText {
  const name = part.filename === undefined || part.filename === '' ? what : part.filename;
  return { text: '', warnings: [], unread: [{ kind, name, bytes: part.bytes.length, code: 'no_text' }] };
}

function textOf(part: MimePart): PartText {
  const isHtml = part.type === 'text/html' || part.type === 'text/x-amp-html' || isHtmlAnyway(part);
  const charset = part.parameters.get('charset') ?? (isHtml ? declaredInHtml(part.bytes) : undefined);
  const decoded = decodeCharset(part.bytes, charset);
  const { length: bytes } = part.bytes;
  if ('fault' in decoded) {
    const name = `text that ${decoded.fault}`;
    return { text: '', warnings: [], unread: [{ kind: 'letter', name, bytes, code: 'not_utf8' }] };
  }
  const warnings =
    decoded.guess === undefined ? [] : [`charset_guessed: its text (${part.type}) was read ${decoded.guess}`];
  const source = decoded.text.replace(/\r\n?/g, '\n').replaceAll('\0', '');
  if (isHtml && source.length > MAX_HTML_BYTES) {
    const name = `HTML of ${source.length} characters, more than ${MAX_HTML_BYTES}`;
    return { text: '', warnings, unread: [{ kind: 'letter', name, bytes, code: 'too_large' }] };
  }
  if (isHtml) {
    const { text } = markupToText(source, 'whole');
    // A letter that is one picture.
    const pictures =
      text === '' && /<img\b/i.test(source)
        ? [{ kind: 'picture', name: 'pictures in HTML', bytes, code: 'no_text' } as const]
        : [];
    return { text, warnings, unread: pictures };
  }
  if (RTF.has(part.type) || part.type === 'text/enriched') {
    const text = rtfToText(source) ?? (part.type.endsWith('rtf') ? source : enrichedToText(source));
    return { text, warnings, unread: [] };
  }
  if (part.type === 'text/calendar') return { text: calendarToText(source) || source.trim(), warnings, unread: [] };
  return plainText(unfolded(part, source), warnings);
}

/** A page that a program has sent as plain text. */
function isHtmlAnyway({ type, bytes }: MimePart): boolean {
  if (type !== 'text/plain') return false;
  return /^\s*<(?:!doctype html|html[\s>])/i.test(Buffer.from(bytes.subarray(0, 200)).toString('latin1'));
}

/** Lines that were only broken to be sent (RFC 3676): a space at the end says so, and with `delsp` is no part of the text. */
function unfolded({ parameters }: MimePart, source: string): string {
  if (parameters.get('format')?.toLowerCase() !== 'flowed') return source;
  const space = parameters.get('delsp')?.toLowerCase() === 'yes' ? '' : ' ';
  // "-- " begins a signature.
  return source.replace(/(?<=[^\n])(?<!^--) \n(?![>\n])/gm, space);
}

/** What the HTML itself says, where the mail says nothing. */
function declaredInHtml(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.subarray(0, 4096)).toString('latin1');
  return /<meta[^>]+charset\s*=\s*["']?\s*([\w-]+)/i.exec(start)?.[1];
}

/** Plain text without files that stand in it as letters and digits. */
function plainText(source: string, warnings: readonly string[]): PartText {
  const unreadParts: UnreadPart[] = [];
  let text = source;
  for (const { name, start, end, bytes } of findUuencoded(source).toReversed()) {
    unreadParts.unshift({ kind: 'attachment', name, bytes: bytes.length, code: 'no_text' });
    text = text.slice(0, start) + text.slice(end);
  }
  text = text.replace(/^-----BEGIN PGP MESSAGE-----$[\s\S]*?(?:^-----END PGP MESSAGE-----$|$(?![\s\S]))/gm, (block) => {
    unreadParts.push({ kind: 'letter', name: 'an encrypted letter (PGP)', bytes: block.length, code: 'no_text' });
    return '';
  });
  const signed =
    /^-----BEGIN PGP SIGNED MESSAGE-----\n(?:[\w-]+: .*\n)*\n([\s\S]*?)^-----BEGIN PGP SIGNATURE-----$[\s\S]*?^-----END PGP SIGNATURE-----$/gm;
  text = text.replace(signed, (_, letter: string) => letter.replace(/^- /gm, ''));
  return { text: text.trim(), warnings, unread: unreadParts };
}
