/** The part of an annotation of pdf.js that holds text. */
interface Annotation {
  readonly subtype?: string;
  readonly annotationFlags?: number;
  readonly hidden?: boolean;
  readonly fieldName?: string;
  readonly fieldType?: string;
  readonly fieldValue?: unknown;
  readonly options?: readonly { readonly exportValue?: unknown; readonly displayValue?: unknown }[];
  readonly alternativeText?: string;
  readonly buttonValue?: string | null;
  readonly checkBox?: boolean;
  readonly radioButton?: boolean;
  readonly password?: boolean;
  readonly textContent?: readonly string[];
  readonly contentsObj?: { readonly str?: string };
  readonly richText?: { readonly str?: string } | null;
}

/** Hidden, or not for the screen (PDF 32000, table 165). */
const NOT_SHOWN = 2 | 32;
/** What people write on a page: notes, and remarks on marked text or shapes. */
const REMARKS = new Set(
  'Text Highlight Underline Squiggly StrikeOut Line Square Circle Polygon PolyLine Ink Stamp Caret'.split(' '),
);

/** Values of form fields, and notes that people have put on a page, a line each; not what the page itself says. */
export function linesOfAnnotations(annotations: readonly Annotation[], pageText: string): readonly string[] {
  return annotations.flatMap((annotation) => {
    if (annotation.hidden === true || ((annotation.annotationFlags ?? 0) & NOT_SHOWN) !== 0) return [];
    const { subtype = '' } = annotation;
    if (subtype === 'FreeText' || REMARKS.has(subtype)) return noteOf(annotation, pageText);
    const value = subtype === 'Widget' ? fieldValueOf(annotation) : '';
    const name = annotation.alternativeText || annotation.fieldName || '';
    if (value === '') return [];
    return [name === '' ? value : `${name}: ${value}`];
  });
}

function noteOf({ textContent, contentsObj, richText }: Annotation, pageText: string): readonly string[] {
  const texts = [textContent?.join('\n'), contentsObj?.str, richText?.str];
  const note = texts.map((text) => (text ?? '').replace(/\r\n?/g, '\n').trim()).find((text) => text !== '');
  // Some programs put the text that is marked into the mark.
  return note === undefined || withoutSpaces(pageText).includes(withoutSpaces(note)) ? [] : [note];
}

function withoutSpaces(text: string): string {
  return text.replace(/\s+/g, '');
}

function fieldValueOf(field: Annotation): string {
  const { fieldType, fieldValue, password, checkBox, radioButton, buttonValue, options = [] } = field;
  if (password === true) return '';
  if (fieldType === 'Btn') {
    if (checkBox === true) return typeof fieldValue === 'string' && fieldValue !== 'Off' ? fieldValue : '';
    return radioButton === true && fieldValue === buttonValue ? (buttonValue ?? '') : '';
  }
  const values: readonly unknown[] = Array.isArray(fieldValue) ? fieldValue : [fieldValue];
  return values
    .map((value) => options.find(({ exportValue }) => exportValue === value)?.displayValue ?? value)
    .filter((value) => typeof value === 'string' && value.trim() !== '')
    .join(', ')
    .replace(/\r\n?/g, '\n');
}
