import { type Address, addressParser } from 'postal-mime';
import type { ParsedDocument } from '../../documents/document-parser.ts';
import { type MailBody, readBody } from './mail/mail-body.ts';
import { decodeAddressField, decodeField, headerOf, type MailHeaders } from './mail/mail-headers.ts';
import { type MimePart, parseMime } from './mail/mime-tree.ts';
import { partToText, type UnreadPart } from './mail/part-to-text.ts';

const NAMES_SHOWN = 5;
const NAME_UNITS = 80;

interface MailHead {
  readonly subject?: string;
  readonly from?: string;
  readonly date?: string;
  readonly warnings: readonly string[];
}

/**
 * Text of an e-mail: subject, sender and date, a blank line, and the letter: its plain form, or the HTML where that says
 * more; messages inside it as well. Attached files are read only where there is no letter; metadata counts them. What is not read is
 * a warning, or a problem where it is the letter itself.
 */
export async function mailToText(
  bytes: Uint8Array,
  options: { readonly maxTextUnits: number },
): Promise<ParsedDocument> {
  const messages = countMessages(bytes);
  if (messages > 1) {
    return problem('unreadable_file', `The file has ${messages} e-mails (an mbox file): give each a file of its own`);
  }
  let mail: MimePart;
  try {
    mail = parseMime(bytes);
  } catch (error) {
    return problem(
      'unreadable_file',
      `The e-mail is damaged: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const head = readHead(mail);
  const body = takeFiles(readBody(mail, readMessage));
  const fault = findFault(head, body);
  if (fault !== undefined) return fault;
  const text = [headLines(head), body.text].filter((part) => part !== '').join('\n\n');
  if (text.length > options.maxTextUnits) {
    return problem('too_large', `The e-mail has ${text.length} characters of text`);
  }
  const { warnings, ...fields } = head;
  const attachments = body.unread.filter(({ kind }) => kind === 'attachment').length + body.files.length;
  return {
    kind: 'text',
    text,
    metadata: { ...fields, attachments },
    warnings: [...new Set([...warnings, ...warningsOf(mail, body)])],
  };
}

function problem(code: 'unreadable_file' | 'no_text' | 'too_large' | 'not_utf8', message: string): ParsedDocument {
  return { kind: 'problem', code, message };
}

/** A letter that is only there as attached files is read from them. */
function takeFiles(body: MailBody): MailBody {
  if (body.text !== '') return body;
  const files = body.files.map(partToText);
  return {
    text: files
      .map(({ text }) => text)
      .filter((text) => text !== '')
      .join('\n\n'),
    warnings: [...body.warnings, ...files.flatMap(({ warnings }) => warnings)],
    unread: [...body.unread, ...files.flatMap(({ unread }) => unread)],
    files: [],
  };
}

/** Why it is no document: nothing but its head could be read, or less of the letter than what could not. */
function findFault({ subject = '' }: MailHead, { text, unread }: MailBody): ParsedDocument | undefined {
  const letters = unread.filter(({ kind }) => kind === 'letter');
  const lost = letters.reduce((sum, { bytes }) => sum + bytes, 0);
  if (letters.length > 0 && (text === '' || lost > Buffer.byteLength(text))) {
    return problem(letters[0]?.code ?? 'no_text', `The e-mail's letter cannot be read: it is ${namesOf(letters)}`);
  }
  if (text !== '') return undefined;
  if (unread.length > 0) {
    return problem('no_text', `The e-mail has no text of its own, only what is not read: ${namesOf(unread)}`);
  }
  return subject === '' ? problem('no_text', 'The e-mail has neither a subject nor a body') : undefined;
}

function warningsOf(mail: MimePart, { text, warnings, unread, files }: MailBody): readonly string[] {
  const letters = unread.filter(({ kind }) => kind === 'letter');
  const attached = [
    ...unread.filter(({ kind }) => kind === 'attachment').map(({ name }) => ({ name })),
    ...files.map(({ filename, type }) => ({ name: filename ?? type })),
  ];
  return [
    ...warnings,
    ...(mail.headers.length > 0
      ? []
      : ['no_mail_head: it has no fields such as Subject: or From:; all of it was taken for the letter']),
    ...(text === '' ? ['no_body: the e-mail has a subject and nothing else'] : []),
    ...(letters.length === 0 ? [] : [`part_not_read: ${namesOf(letters)}`]),
    ...(attached.length === 0 ? [] : [`attachments_not_read: ${attached.length} (${namesOf(attached)})`]),
  ];
}

function namesOf(parts: readonly Pick<UnreadPart, 'name'>[]): string {
  const names = parts
    .slice(0, NAMES_SHOWN)
    .map(({ name }) => (name.length > NAME_UNITS ? `${name.slice(0, NAME_UNITS)}…` : name));
  return `${names.join(', ')}${parts.length > NAMES_SHOWN ? ` and ${parts.length - NAMES_SHOWN} more` : ''}`;
}

function readMessage(message: MimePart): MailBody {
  const head = readHead(message);
  const body = readBody(message, readMessage);
  const text = [headLines(head), body.text].filter((part) => part !== '').join('\n\n');
  return { ...body, text, warnings: [...head.warnings, ...body.warnings] };
}

function headLines({ subject, from, date }: MailHead): string {
  const lines = [
    ['Subject', subject],
    ['From', from],
    ['Date', date],
  ] as const;
  return lines.flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`])).join('\n');
}

function readHead(mail: MimePart): MailHead {
  const charset = charsetOf(mail);
  const subject = fieldOf(mail.headers, 'subject', (raw) => decodeField(raw, charset));
  const from = fieldOf(mail.headers, 'from', (raw) => {
    const { text, guess } = decodeAddressField(raw, charset);
    const addresses = addressParser(text).map(formatAddress).join(', ');
    return { text: addresses === '' ? decodeField(raw, charset).text : addresses, guess };
  });
  const date = headerOf(mail.headers, 'date');
  const guesses = [subject?.guess, from?.guess].filter((guess) => guess !== undefined);
  return {
    ...(subject === undefined ? {} : { subject: clean(subject.text) }),
    ...(from === undefined ? {} : { from: clean(from.text) }),
    ...(date === undefined ? {} : { date: readDate(date) }),
    warnings: guesses.slice(0, 1).map((guess) => `charset_guessed: its head was read ${guess}`),
  };
}

function fieldOf<T>(headers: MailHeaders, name: string, read: (raw: string) => T): T | undefined {
  const raw = headerOf(headers, name);
  return raw === undefined || raw === '' ? undefined : read(raw);
}

function clean(text: string): string {
  return text.replaceAll('\0', '').replace(/\s+/g, ' ').trim();
}

/** ISO 8601 where it can be told, else as it stands. */
function readDate(value: string): string {
  const time = new Date(value.replace(/\s*\([^)]*\)\s*$/, ''));
  return Number.isNaN(time.getTime()) ? clean(decodeField(value, undefined).text) : time.toISOString();
}

/** Of the first part that names one: what bytes in the head are in, where they are not UTF-8. */
function charsetOf(part: MimePart): string | undefined {
  const own = part.parameters.get('charset');
  if (own !== undefined || part.type.startsWith('message/')) return own;
  for (const inner of part.parts) {
    const found = charsetOf(inner);
    if (found !== undefined) return found;
  }
  return undefined;
}

function formatAddress({ name, address, group }: Address): string {
  if (group !== undefined) return `${name}: ${group.map(formatAddress).join(', ')}`;
  return name === '' ? (address ?? '') : `${name} <${address ?? ''}>`;
}

/** Messages of an mbox file; of anything else, one. */
function countMessages(bytes: Uint8Array): number {
  const text = Buffer.from(bytes).toString('latin1');
  if (!text.startsWith('From ')) return 1;
  return 1 + (text.match(/\n\r?\nFrom \S.*\d{4}\r?\n[\w-]+:/g)?.length ?? 0);
}
