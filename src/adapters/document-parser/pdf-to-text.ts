import { getDocumentProxy } from 'unpdf';
import type { ParsedDocument } from '../../documents/document-parser.ts';

/** Of the parser's messages on the console. */
const ERRORS_ONLY = 0;

/** Text of a PDF, page after page with a blank line between. Pictures of text are not read. */
export async function pdfToText(
  bytes: Uint8Array,
  options: { readonly maxTextUnits: number },
): Promise<ParsedDocument> {
  let pdf: Awaited<ReturnType<typeof getDocumentProxy>>;
  try {
    pdf = await getDocumentProxy(bytes, { verbosity: ERRORS_ONLY, stopAtErrors: false });
  } catch (error) {
    if (error instanceof Error && error.name === 'PasswordException') {
      return { kind: 'problem', code: 'no_text', message: 'The PDF is encrypted: save it without a password' };
    }
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: 'problem', code: 'unreadable_file', message: `The PDF is damaged: ${reason.slice(0, 120)}` };
  }
  try {
    const pages: string[] = [];
    let units = 0;
    for (let number = 1; number <= pdf.numPages; number++) {
      const page = await pageText(pdf, number);
      units += page.length;
      if (units > options.maxTextUnits) {
        const message = `The PDF has more than ${options.maxTextUnits} characters of text, the most that is allowed`;
        return { kind: 'problem', code: 'too_large', message };
      }
      if (page !== '') pages.push(page);
    }
    if (pages.length > 0) return { kind: 'text', text: pages.join('\n\n'), metadata: { pages: pdf.numPages } };
    const message = `The PDF has no text on its ${pdf.numPages} pages; pictures of text need OCR first, for example ocrmypdf`;
    return { kind: 'problem', code: 'no_text', message };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: 'problem', code: 'unreadable_file', message: `The PDF is damaged: ${reason.slice(0, 120)}` };
  } finally {
    await pdf.loadingTask.destroy();
  }
}

async function pageText(pdf: Awaited<ReturnType<typeof getDocumentProxy>>, number: number): Promise<string> {
  const page = await pdf.getPage(number);
  const { items } = await page.getTextContent();
  const text = items.map((item) => ('str' in item ? `${item.str}${item.hasEOL ? '\n' : ''}` : '')).join('');
  page.cleanup();
  return text.replaceAll('\0', '').trim();
}
