import { getDocumentProxy } from 'unpdf';
import { type FormatSettings, type ParsedDocument, PDF_PAGES_WITHOUT_TEXT } from '../../documents/document-parser.ts';
import { CharacterMaps } from './character-maps.ts';
import { readPdfPage } from './pdf-page.ts';

/** Of the parser's messages on the console. */
const ERRORS_ONLY = 0;
/** Share of letters that a font does not say, above which the text is not what a person sees. */
const UNKNOWN_LETTERS = 0.05;

const NAMES_SHOWN = 5;
const NAME_UNITS = 80;

interface PdfOptions {
  readonly maxTextUnits: number;
  readonly formats?: FormatSettings | undefined;
}

type Pdf = Awaited<ReturnType<typeof getDocumentProxy>>;

/**
 * Text of a PDF, page after page with a blank line between, with the values of forms and free-text notes. Pictures of text are
 * not read: pages without text are counted, and too large a share of them is a problem.
 */
export async function pdfToText(bytes: Uint8Array, options: PdfOptions): Promise<ParsedDocument> {
  let pdf: Pdf;
  try {
    const reading = { verbosity: ERRORS_ONLY, stopAtErrors: false, enableXfa: true };
    const maps = { cMapUrl: './', cMapPacked: true, useWorkerFetch: false, BinaryDataFactory: CharacterMaps };
    pdf = await getDocumentProxy(bytes, { ...reading, ...maps });
  } catch (error) {
    if (error instanceof Error && error.name === 'PasswordException') {
      return { kind: 'problem', code: 'no_text', message: 'The PDF is encrypted: save it without a password' };
    }
    return damaged(error);
  }
  try {
    return (await coverOnly(pdf)) ?? (await readPages(pdf, options));
  } catch (error) {
    return damaged(error);
  } finally {
    await pdf.loadingTask.destroy();
  }
}

function damaged(error: unknown): ParsedDocument {
  const reason = error instanceof Error ? error.message : String(error);
  return { kind: 'problem', code: 'unreadable_file', message: `The PDF is damaged: ${reason.slice(0, 120)}` };
}

/** A portfolio, whose pages only say that the documents are files inside it. */
async function coverOnly(pdf: Pdf): Promise<ParsedDocument | undefined> {
  const { info } = (await pdf.getMetadata()) as { info: { readonly IsCollectionPresent?: boolean } };
  if (info.IsCollectionPresent !== true) return undefined;
  const message = 'The PDF is a portfolio, a cover with other files inside: take them out and give them as documents';
  return { kind: 'problem', code: 'no_text', message };
}

async function readPages(pdf: Pdf, { maxTextUnits, formats }: PdfOptions): Promise<ParsedDocument> {
  const texts: string[] = [];
  let units = 0;
  let pictures = 0;
  for (let number = 1; number <= pdf.numPages; number++) {
    const { text, isPicture } = await readPdfPage(await pdf.getPage(number));
    units += text.length;
    if (units > maxTextUnits) {
      const message = `The PDF has more than ${maxTextUnits} characters of text, the most that is allowed`;
      return { kind: 'problem', code: 'too_large', message };
    }
    if (isPicture) pictures += 1;
    if (text !== '') texts.push(text);
  }
  const text = texts.join('\n\n');
  const most = formats?.pdfPagesWithoutText ?? PDF_PAGES_WITHOUT_TEXT;
  const fault = (await isFormAsPicture(pdf, text)) ? XFA_ONLY : faultOf(text, pictures, pdf.numPages, most);
  if (fault !== undefined) return { kind: 'problem', code: 'no_text', message: fault };
  const files = await attachedFiles(pdf);
  const warnings = [
    ...(files.length === 0 ? [] : [`attachments_not_read: ${files.length} (${listed(files)})`]),
    ...(pictures === 0
      ? []
      : [`pages_without_text: ${pictures} of ${pdf.numPages} pages have no text (scans, or blank)`]),
    ...(shareUnknown(text) > UNKNOWN_LETTERS ? ['unknown_letters: fonts do not say which letters some signs are'] : []),
  ];
  const warned = warnings.length === 0 ? {} : { warnings };
  return { kind: 'text', text, metadata: { pages: pdf.numPages }, ...warned };
}

const XFA_ONLY = 'The PDF is an XFA form of which only "Please wait..." can be read: print it to a PDF file';
/** A longer page is no notice that asks for another program. */
const MAX_NOTICE_UNITS = 2_000;
const NOTICE =
  /please wait|bitte warten|adobe|acrobat|\bpdf\b|patient|attend|espere|aguarde|attendere|wacht|подожд|お待ち|请稍|請稍|잠시/i;

/** A form whose own text cannot be read, with a page that asks to wait or for another program, in any language. */
async function isFormAsPicture(pdf: Pdf, text: string): Promise<boolean> {
  const { info } = (await pdf.getMetadata()) as { info: { readonly IsXFAPresent?: boolean } };
  return info.IsXFAPresent === true && !pdf.isPureXfa && text.length < MAX_NOTICE_UNITS && NOTICE.test(text);
}

async function attachedFiles(pdf: Pdf): Promise<readonly string[]> {
  const files = (await pdf.getAttachments()) as ReadonlyMap<string, { readonly filename?: string }> | null;
  return [...(files ?? new Map<string, { readonly filename?: string }>())].map(
    ([key, { filename }]) => filename ?? key,
  );
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_SHOWN).map((name) => name.slice(0, NAME_UNITS));
  return `${shown.join(', ')}${names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : ''}`;
}

function faultOf(text: string, pictures: number, pages: number, most: number): string | undefined {
  const ocr = 'pictures of text need OCR first, for example ocrmypdf';
  if (text === '') return `The PDF has no text on its ${pages} pages; ${ocr}`;
  if (/^\s*please wait/i.test(text) && text.length < MAX_NOTICE_UNITS) return XFA_ONLY;
  if (pictures / pages > most) {
    return `The PDF has no text on ${pictures} of its ${pages} pages; ${ocr}, or allow it with pdfPagesWithoutText`;
  }
  return shareUnknown(text) > 0.5
    ? 'The fonts of the PDF do not say which letters their signs are; OCR can'
    : undefined;
}

/** Scripts that no document has many of: numbers of signs that were taken for letters fall into one after the other. */
const RARE_SCRIPTS =
  'Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala Thai Lao Tibetan Myanmar Georgian Ethiopic Cherokee Canadian_Aboriginal Ogham Runic Khmer Mongolian Armenian Syriac Thaana Nko Balinese Sundanese Cham Tai_Tham'
    .split(' ')
    .map((script) => new RegExp(`\\p{Script=${script}}`, 'gu'));
const MANY_SCRIPTS = 4;

function shareUnknown(text: string): number {
  const signs = text.replace(/\s/g, '');
  if (signs === '') return 0;
  const unknown = (signs.match(/[\ufffd\p{Co}\p{Cc}\p{Cn}]/gu) ?? []).length;
  const rare = RARE_SCRIPTS.map((script) => signs.match(script)?.length ?? 0).filter((count) => count > 0);
  const mixed = rare.length < MANY_SCRIPTS ? 0 : rare.reduce((sum, count) => sum + count, 0);
  return (unknown + mixed) / signs.length;
}
