import { getResolvedPDFJS } from 'unpdf';
import { linesOfAnnotations } from './pdf-annotations.ts';
import { type XfaNode, xfaText } from './xfa-text.ts';

type Page = Awaited<
  ReturnType<Awaited<ReturnType<Awaited<ReturnType<typeof getResolvedPDFJS>>['getDocument']>['promise']>['getPage']>
>;

export interface PdfPageText {
  readonly text: string;
  /** It has no text, or a stamp over a picture of the page. */
  readonly isPicture: boolean;
}

/** Pages with more text than this are not looked at for a picture. */
const STAMP_UNITS = 200;
/** Fewer points are a logo; a page of A4 scanned at 72 points an inch has as many. */
const SCAN_POINTS = 500_000;

/** What is written on a page, and behind it the values of its form fields and its notes, a line each. */
export async function readPdfPage(page: Page): Promise<PdfPageText> {
  const { items } = await page.getTextContent();
  const written = items.map((item) => ('str' in item ? `${item.str}${item.hasEOL ? '\n' : ''}` : '')).join('');
  const form = page.isPureXfa ? xfaText((await page.getXfa()) as XfaNode | null) : '';
  const text = horizontalForms((form || written).replaceAll('\0', '').trim());
  const added = page.isPureXfa ? [] : linesOfAnnotations(await page.getAnnotations(), text);
  const isShort = text.length + added.join('').length < STAMP_UNITS;
  const isPicture = text === '' && added.length === 0 ? true : isShort && (await hasLargePicture(page));
  page.cleanup();
  return { text: [text, added.join('\n')].filter((part) => part !== '').join('\n\n'), isPicture };
}

/** Marks of vertical writing as the marks that they are forms of. */
function horizontalForms(text: string): string {
  return text.replace(/[\ufe10-\ufe19\ufe30-\ufe4f]/g, (mark) => mark.normalize('NFKC'));
}

async function hasLargePicture(page: Page): Promise<boolean> {
  const { OPS } = await getResolvedPDFJS();
  const { fnArray, argsArray } = await page.getOperatorList();
  const pictures = new Set<number>([OPS.paintImageXObject, OPS.paintInlineImageXObject, OPS.paintImageMaskXObject]);
  // Scanners cut a page into strips.
  const points = fnArray.map((operation, at) => {
    if (!pictures.has(operation)) return 0;
    const [first, width, height] = argsArray[at] as readonly [unknown, unknown, unknown];
    const size =
      typeof width === 'number' ? { width, height } : (first as { width?: unknown; height?: unknown } | null);
    return Number(size?.width ?? 0) * Number(size?.height ?? 0);
  });
  return points.reduce((sum, each) => sum + each, 0) >= SCAN_POINTS;
}
