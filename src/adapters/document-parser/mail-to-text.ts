import PostalMime, { type Address } from 'postal-mime';
import type { ParsedDocument } from '../../documents/document-parser.ts';
import { MAX_HTML_BYTES, markupToText } from './html-to-text.ts';

/**
 * Text of an e-mail: subject, sender and date, a blank line, and the plain body, or the HTML body where there is no other.
 * Attachments are not read; metadata counts them.
 */
export async function mailToText(
  bytes: Uint8Array,
  options: { readonly maxTextUnits: number },
): Promise<ParsedDocument> {
  let mail: Awaited<ReturnType<typeof PostalMime.parse>>;
  try {
    mail = await PostalMime.parse(bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: 'problem', code: 'unreadable_file', message: `The e-mail is damaged: ${reason.slice(0, 120)}` };
  }
  const { subject, date, html = '' } = mail;
  const from = mail.from === undefined ? undefined : formatAddress(mail.from);
  const plain = (mail.text ?? '').trim();
  if (plain === '' && html.length > MAX_HTML_BYTES) {
    return { kind: 'problem', code: 'too_large', message: `The e-mail has ${html.length} characters of HTML` };
  }
  const body = (plain === '' && html !== '' ? markupToText(html, 'whole').text : plain).replace(/\r\n?/g, '\n');
  if (body === '' && (subject ?? '') === '') {
    return { kind: 'problem', code: 'no_text', message: 'The e-mail has neither a subject nor a body' };
  }
  const head = [
    ...(subject === undefined ? [] : [`Subject: ${subject}`]),
    ...(from === undefined ? [] : [`From: ${from}`]),
    ...(date === undefined ? [] : [`Date: ${date}`]),
  ];
  const text = [head.join('\n'), body]
    .filter((part) => part !== '')
    .join('\n\n')
    .replaceAll('\0', '');
  if (text.length > options.maxTextUnits) {
    return { kind: 'problem', code: 'too_large', message: `The e-mail has ${text.length} characters of text` };
  }
  const metadata = {
    ...(subject === undefined ? {} : { subject }),
    ...(from === undefined ? {} : { from }),
    ...(date === undefined ? {} : { date }),
    attachments: mail.attachments.length,
  };
  return { kind: 'text', text, metadata };
}

function formatAddress({ name, address, group }: Address): string {
  if (group !== undefined) return `${name}: ${group.map(formatAddress).join(', ')}`;
  return name === '' ? (address ?? '') : `${name} <${address ?? ''}>`;
}
