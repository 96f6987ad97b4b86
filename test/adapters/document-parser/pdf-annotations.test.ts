import { describe, expect, test } from 'vitest';
import { linesOfAnnotations } from '../../../src/adapters/document-parser/pdf-annotations.ts';
import { pdfToText } from '../../../src/adapters/document-parser/pdf-to-text.ts';
import { makePdfOf, pdfStream } from '../../helpers/make-pdf.ts';

describe('linesOfAnnotations()', () => {
  test.each(['Text', 'Highlight', 'StrikeOut', 'Line', 'Ink', 'Stamp', 'Caret'])(
    'reads the remark of a %s',
    (subtype) => {
      expect(linesOfAnnotations([{ subtype, contentsObj: { str: 'Check\rthis ' } }], 'A page')).toEqual([
        'Check\nthis',
      ]);
    },
  );

  test('reads a note that has only a rich text', () => {
    expect(linesOfAnnotations([{ subtype: 'FreeText', richText: { str: 'Rich note' } }], '')).toEqual(['Rich note']);
  });

  test('leaves out what is hidden, links, and the text that is marked once more', () => {
    const remark = (more: object) => ({ subtype: 'Highlight', contentsObj: { str: 'forty  pallets' }, ...more });
    expect(linesOfAnnotations([remark({ annotationFlags: 2 }), remark({ annotationFlags: 32 })], '')).toEqual([]);
    expect(linesOfAnnotations([remark({})], 'An offer of forty\npallets')).toEqual([]);
    expect(linesOfAnnotations([remark({ subtype: 'Link' }), remark({ subtype: 'Popup' })], '')).toEqual([]);
  });

  test('reads a choice as the form shows it', () => {
    const options = [
      { exportValue: '6', displayValue: 'Six months' },
      { exportValue: '12', displayValue: 'Twelve months' },
    ];
    const choice = { subtype: 'Widget', fieldType: 'Ch', fieldName: 'term', fieldValue: ['12'], options };
    expect(linesOfAnnotations([choice], '')).toEqual(['term: Twelve months']);
  });
});

describe('pdfToText()', () => {
  const read = (bytes: Buffer) => pdfToText(new Uint8Array(bytes), { maxTextUnits: 100_000 });
  const PAGES = '<< /Type /Pages /Kids [3 0 R] /Count 1 >>';
  const FONT = '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>';
  const page = (more = '') =>
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 5 0 R >> /XObject << /Im 6 0 R >> >> /Contents 4 0 R ${more} >>`;
  const show = (text: string) => `BT /F1 12 Tf 72 720 Td ${text} Tj ET`;
  const CATALOG = '<< /Type /Catalog /Pages 2 0 R >>';

  test('names the files that are attached', async () => {
    const names = '/Names << /EmbeddedFiles << /Names [(letter.txt) 6 0 R] >> >>';
    const objects = [
      `<< /Type /Catalog /Pages 2 0 R ${names} >>`,
      PAGES,
      page(),
      pdfStream(show('(See the letter)')),
      FONT,
      '<< /Type /Filespec /F (letter.txt) /EF << /F 7 0 R >> >>',
      pdfStream('Forty pallets', ' /Type /EmbeddedFile'),
    ];
    expect(await read(makePdfOf(objects))).toMatchObject({
      text: 'See the letter',
      warnings: ['attachments_not_read: 1 (letter.txt)'],
    });
  });

  test('takes a stamp over a picture in strips for no text', async () => {
    const strip = pdfStream(
      '0',
      ' /Type /XObject /Subtype /Image /Width 1700 /Height 30 /ColorSpace /DeviceGray /BitsPerComponent 1',
    );
    const drawn = 'q 600 0 0 30 0 0 cm /Im Do Q '.repeat(20);
    const objects = [CATALOG, PAGES, page(), pdfStream(`${drawn}${show('(RECEIVED)')}`), FONT, strip];
    expect(await read(makePdfOf(objects))).toMatchObject({ kind: 'problem', code: 'no_text' });
  });

  test('writes marks of vertical writing as usual', async () => {
    const system = '/CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) /Supplement 2 >>';
    const described = '/FontDescriptor << /Type /FontDescriptor /FontName /X /Flags 4 >>';
    const inner = `<< /Type /Font /Subtype /CIDFontType0 /BaseFont /X ${system} ${described} >>`;
    const font = `<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /90ms-RKSJ-V /DescendantFonts [${inner}] >>`;
    const objects = [CATALOG, PAGES, page(), pdfStream(show('<91e58ee88142>')), font];
    expect(await read(makePdfOf(objects))).toMatchObject({ text: '大手。' });
  });

  test('says that letters of a font without a map are not known', async () => {
    const inner =
      '<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /DW 1000 >>';
    const font = `<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /DescendantFonts [${inner}] >>`;
    const objects = [CATALOG, PAGES, page(), pdfStream(show('<0A1B0B2C0C3D0D4E0E5F>')), font];
    expect(await read(makePdfOf(objects))).toMatchObject({ kind: 'problem', message: expect.stringContaining('OCR') });
  });

  test('takes a form that asks to wait in another language for no document', async () => {
    const catalog = '<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [] /XFA 6 0 R >> >>';
    const objects = [catalog, PAGES, page(), pdfStream(show('(Bitte warten...)')), FONT, pdfStream('<xdp/>')];
    expect(await read(makePdfOf(objects))).toMatchObject({ kind: 'problem', message: expect.stringContaining('XFA') });
  });
});
