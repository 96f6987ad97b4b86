import { findBinaryFormat } from '../text/find-binary-format.ts';
import { quoteValue } from '../text/quote-value.ts';
import type { InputEntry } from './document.ts';
import { findIdFault } from './document-id.ts';
import type { DocumentFormat, DocumentParser } from './document-parser.ts';
import type { WholeOptions } from './read-whole.ts';

const NAMES: Readonly<Record<DocumentFormat, string>> = { html: 'HTML', pdf: 'a PDF', mail: 'an e-mail' };

/** Makes one document of a web page, PDF or e-mail. What its parser cannot read is a problem, like a file that is too large. */
export async function parseFormatted(
  whole: Uint8Array,
  format: DocumentFormat,
  parser: DocumentParser,
  options: WholeOptions,
): Promise<InputEntry> {
  const { id, source, encoding, formats, maxBytes } = options;
  const fault = findIdFault(id);
  if (fault !== undefined) {
    const message = `The file's name cannot be a document id: it ${fault}: ${quoteValue(id)}`;
    return { kind: 'problem', problem: { code: 'missing_id', message, source } };
  }
  if (whole.length === 0) {
    return { kind: 'problem', problem: { code: 'missing_text', message: 'The file is empty', source, id } };
  }
  const binary = findBinaryFormat(whole);
  if (binary !== undefined && !(format === 'pdf' && binary === 'a PDF')) {
    const message = `The file is ${binary}, not ${NAMES[format]}: convert it, or name it by its type`;
    return { kind: 'problem', problem: { code: 'unreadable_file', message, source, id } };
  }
  const parsed = await parser.parse(format, whole, { encoding, formats, maxTextUnits: maxBytes });
  if (parsed.kind === 'problem') {
    return { kind: 'problem', problem: { code: parsed.code, message: parsed.message, source, id } };
  }
  const { text, metadata, warnings = [] } = parsed;
  const warned = warnings.length === 0 ? {} : { warnings };
  return { kind: 'document', document: { id, text: text.toWellFormed(), metadata, ...warned }, source };
}
