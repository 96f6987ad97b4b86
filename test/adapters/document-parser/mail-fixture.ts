import { mailToText } from '../../../src/adapters/document-parser/mail-to-text.ts';

export const HEAD = 'From: A Writer <writer@example.test>\r\nSubject: Offer\r\nMIME-Version: 1.0\r\n';
export const LETTER = 'Forty pallets at 18 francs each.';
export const GERMAN = 'Grüße aus Köln, die Lieferung für März fehlt.';

export const bytesOf = (mail: string | Uint8Array) => (typeof mail === 'string' ? Buffer.from(mail, 'latin1') : mail);
export async function read(mail: string | Uint8Array) {
  return await mailToText(bytesOf(mail), { maxTextUnits: 1_000_000 });
}
/** The letter and the warnings of a mail that is read. */
export async function letterOf(mail: string | Uint8Array) {
  const parsed = await read(mail);
  if (parsed.kind !== 'text') throw new Error(parsed.message);
  const [, letter = ''] = /^(?:(?:Subject|From|Date): .*(?:\n|$))*\n?([\s\S]*)$/.exec(`${parsed.text}`) ?? [];
  return { letter, warnings: parsed.warnings ?? [], metadata: parsed.metadata };
}
export const mixed = (...parts: readonly string[]) => multipart('mixed', parts);
export const multipart = (kind: string, parts: readonly string[], boundary = 'b') =>
  `Content-Type: multipart/${kind}; boundary=${boundary}\r\n\r\n${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')}--${boundary}--\r\n`;
export const part = (type: string, body: string, more = '') => `Content-Type: ${type}\r\n${more}\r\n${body}`;
export const EVENT =
  'BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nDTSTART;TZID=Europe/Berlin:20260305T090000\r\nDTEND:20260305T100000Z\r\nSUMMARY:Budget\\, warehouse\r\nDESCRIPTION:Bring the\r\n  offers\r\nLOCATION:Room 4\r\nBEGIN:VALARM\r\nDESCRIPTION:Alarm\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR';
