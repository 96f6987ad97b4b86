import type { InputReading } from '../documents/document-input.ts';
import { type FormatSettings, HTML_READINGS, PDF_PAGES_WITHOUT_TEXT } from '../documents/document-parser.ts';
import type { FieldMapping, InputDefaults } from '../documents/field-mapping.ts';
import { isCsvDelimiter } from '../documents/parse-csv.ts';
import { NightmillError } from '../errors.ts';
import { canonicalEncoding } from '../text/decode-text.ts';
import { quoteValue } from '../text/quote-value.ts';

/** How inputs are read, as people write it on a command line or in a query string. */
export interface InputFlags {
  readonly textField?: string;
  readonly idField?: string;
  readonly metadataFields?: string;
  readonly encoding?: string;
  readonly html?: string;
  /** One character, or `tab`. */
  readonly delimiter?: string;
  readonly maxDocuments?: string;
}

/** Flags, else the workflow's defaults, as the readers take them. */
export function readingOf(flags: InputFlags, defaults: InputDefaults = {}): Omit<InputReading, 'parser'> {
  const text = nameOf('--text-field', flags.textField) ?? defaults.text;
  const id = nameOf('--id-field', flags.idField) ?? defaults.id;
  const metadata = readMetadataFields(flags.metadataFields) ?? defaults.metadata;
  const encoding = readEncoding(flags.encoding ?? defaults.encoding);
  const formats = formatsOf(flags, defaults);
  const delimiter = readDelimiter(flags.delimiter) ?? defaults.delimiter;
  const fields: FieldMapping = {
    ...(text === undefined ? {} : { text }),
    ...(id === undefined ? {} : { id }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(defaults.isRequest === true ? { isRequest: true } : {}),
  };
  return {
    ...(Object.keys(fields).length === 0 ? {} : { fields }),
    ...(encoding === undefined ? {} : { encoding }),
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(Object.keys(formats).length === 0 ? {} : { formats }),
  };
}

/** What is read as by default makes no other batch of an input when it is named. */
function formatsOf(flags: InputFlags, defaults: InputDefaults): FormatSettings {
  const html = HTML_READINGS.find((known) => known === (flags.html ?? defaults.html));
  if (html === undefined && flags.html !== undefined) {
    throw new NightmillError(
      'usage',
      `Cannot use ${JSON.stringify(flags.html)} as --html: use ${HTML_READINGS.join(', ')}.`,
    );
  }
  const { pdfPagesWithoutText: pages } = defaults;
  return {
    ...(html === undefined || html === 'auto' ? {} : { html }),
    ...(pages === undefined || pages === PDF_PAGES_WITHOUT_TEXT ? {} : { pdfPagesWithoutText: pages }),
  };
}

/** @throws {NightmillError} `usage`: no whole number from 1 */
export function readMaxDocuments(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const most = Number(text);
  if (Number.isSafeInteger(most) && most > 0) return most;
  throw new NightmillError(
    'usage',
    `Cannot use ${JSON.stringify(text)} as --max-documents: use a whole number from 1.`,
  );
}

function readMetadataFields(text: string | undefined): FieldMapping['metadata'] {
  if (text === undefined || text.trim() === '*') return text === undefined ? undefined : '*';
  const names = text.split(',').map((name) => name.trim());
  if (names.every((name) => name !== '')) return names;
  throw new NightmillError(
    'usage',
    `Cannot use ${JSON.stringify(text)} as --metadata-fields: name columns with commas, or *.`,
  );
}

function readDelimiter(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const delimiter = text === 'tab' || text === '\\t' ? '\t' : text;
  if (isCsvDelimiter(delimiter)) return delimiter;
  throw new NightmillError(
    'usage',
    `Cannot use ${quoteValue(text)} as --delimiter: use one character such as , ; | or the word tab.`,
  );
}

function nameOf(flag: string, text: string | undefined): string | undefined {
  if (text !== '') return text;
  throw new NightmillError('usage', `Cannot use an empty ${flag}: name a column or field.`);
}

/** UTF-8 is what an input is read as anyway, so naming it makes no other batch of it. */
function readEncoding(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const encoding = canonicalEncoding(text);
  if (encoding === undefined) {
    throw new NightmillError(
      'usage',
      `Cannot read the encoding ${JSON.stringify(text)}: use one such as utf-8, utf-16le, windows-1252, iso-8859-15, shift_jis or gb18030.`,
    );
  }
  return encoding === 'utf-8' ? undefined : encoding;
}
