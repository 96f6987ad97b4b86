import { getDocumentProxy } from 'unpdf';
import { type FormatSettings, type ParsedDocument, PDF_PAGES_WITHOUT_TEXT } from '../../documents/document-parser.ts';
import { CharacterMaps } from './character-maps.ts';
import { readPdfPage } from './pdf-page.ts';

/** Of the parser's messages on the console. */
const ERRORS_ONLY = 0;
/** Share of letters that a font does not say, above which the text is not what a person sees. */
const UNKNOWN_LETTERS = 0.05;

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
  const fault = faultOf(text, pictures, pdf.numPages, formats?.pdfPagesWithoutText ?? PDF_PAGES_WITHOUT_TEXT);
  if (fault !== undefined) return { kind: 'problem', code: 'no_text', message: fault };
  const warnings = [
    ...(pictures === 0
      ? []
      : [`pages_without_text: ${pictures} of ${pdf.numPages} pages have no text (scans, or blank)`]),
    ...(shareUnknown(text) > UNKNOWN_LETTERS ? ['unknown_letters: fonts do not say which letters some signs are'] : []),
  ];
  const warned = warnings.length === 0 ? {} : { warnings };
  return { kind: 'text', text, metadata: { pages: pdf.numPages }, ...warned };
}

function faultOf(text: string, pictures: number, pages: number, most: number): string | undefined {
  const ocr = 'pictures of text need OCR first, for example ocrmypdf';
  if (text === '') return `The PDF has no text on its ${pages} pages; ${ocr}`;
  if (/^\s*please wait/i.test(text) && text.length < 2_000) {
    return 'The PDF is an XFA form of which only "Please wait..." can be read: print it to a PDF file';
  }
  if (pictures / pages > most) {
    return `The PDF has no text on ${pictures} of its ${pages} pages; ${ocr}, or allow it with pdfPagesWithoutText`;
  }
  return shareUnknown(text) > 0.5
    ? 'The fonts of the PDF do not say which letters their signs are; OCR can'
    : undefined;
}

function shareUnknown(text: string): number {
  const signs = text.replace(/\s/g, '');
  return signs === '' ? 0 : (signs.match(/[\ufffd\p{Co}\p{Cc}]/gu) ?? []).length / signs.length;
}
