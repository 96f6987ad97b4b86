import { getResolvedPDFJS } from 'unpdf';
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

/** What is written on a page, and behind it the values of its form fields and its free-text notes, a line each. */
export async function readPdfPage(page: Page): Promise<PdfPageText> {
  const { items } = await page.getTextContent();
  const written = items.map((item) => ('str' in item ? `${item.str}${item.hasEOL ? '\n' : ''}` : '')).join('');
  const form = page.isPureXfa ? xfaText((await page.getXfa()) as XfaNode | null) : '';
  const text = (form || written).replaceAll('\0', '').trim();
  const added = page.isPureXfa ? [] : linesOfAnnotations(await page.getAnnotations());
  const isShort = text.length + added.join('').length < STAMP_UNITS;
  const isPicture = text === '' && added.length === 0 ? true : isShort && (await hasLargePicture(page));
  page.cleanup();
  return { text: [text, added.join('\n')].filter((part) => part !== '').join('\n\n'), isPicture };
}

/** The part of an annotation of pdf.js that holds text. */
interface Annotation {
  readonly subtype?: string;
  readonly hidden?: boolean;
  readonly fieldName?: string;
  readonly fieldType?: string;
  readonly fieldValue?: unknown;
  readonly alternativeText?: string;
  readonly buttonValue?: string | null;
  readonly checkBox?: boolean;
  readonly radioButton?: boolean;
  readonly password?: boolean;
  readonly textContent?: readonly string[];
  readonly contentsObj?: { readonly str?: string };
}

function linesOfAnnotations(annotations: readonly Annotation[]): readonly string[] {
  return annotations.flatMap((annotation) => {
    if (annotation.hidden === true) return [];
    if (annotation.subtype === 'FreeText') {
      const note = annotation.textContent?.join('\n') ?? annotation.contentsObj?.str ?? '';
      return note.trim() === '' ? [] : [note.trim()];
    }
    const value = annotation.subtype === 'Widget' ? fieldValueOf(annotation) : '';
    const name = annotation.alternativeText || annotation.fieldName || '';
    if (value === '') return [];
    return [name === '' ? value : `${name}: ${value}`];
  });
}

function fieldValueOf({ fieldType, fieldValue, password, checkBox, radioButton, buttonValue }: Annotation): string {
  if (password === true) return '';
  if (fieldType === 'Btn') {
    if (checkBox === true) return typeof fieldValue === 'string' && fieldValue !== 'Off' ? fieldValue : '';
    return radioButton === true && fieldValue === buttonValue ? (buttonValue ?? '') : '';
  }
  const values = Array.isArray(fieldValue) ? fieldValue : [fieldValue];
  return values.filter((value) => typeof value === 'string' && value.trim() !== '').join(', ');
}

async function hasLargePicture(page: Page): Promise<boolean> {
  const { OPS } = await getResolvedPDFJS();
  const { fnArray, argsArray } = await page.getOperatorList();
  const pictures = new Set<number>([OPS.paintImageXObject, OPS.paintInlineImageXObject, OPS.paintImageMaskXObject]);
  return fnArray.some((operation, at) => {
    if (!pictures.has(operation)) return false;
    const [first, width, height] = argsArray[at] as readonly [unknown, unknown, unknown];
    const size =
      typeof width === 'number' ? { width, height } : (first as { width?: unknown; height?: unknown } | null);
    return Number(size?.width ?? 0) * Number(size?.height ?? 0) >= SCAN_POINTS;
  });
}
