import { describe, expect, test } from 'vitest';
import { pdfToText } from '../../../src/adapters/document-parser/pdf-to-text.ts';
import { makePdf, makePdfOf, pdfStream } from '../../helpers/make-pdf.ts';

const read = (bytes: Buffer, pdfPagesWithoutText?: number) =>
  pdfToText(new Uint8Array(bytes), {
    maxTextUnits: 100_000,
    ...(pdfPagesWithoutText === undefined ? {} : { formats: { pdfPagesWithoutText } }),
  });

const PAGES = '<< /Type /Pages /Kids [3 0 R] /Count 1 >>';
const HELVETICA = '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>';
/** @param more of the page's dictionary */
const page = (more: string) =>
  `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 5 0 R >> /XObject << /Im 6 0 R >> >> /Contents 4 0 R ${more} >>`;
const show = (text: string) => pdfStream(`BT /F1 12 Tf 72 720 Td ${text} Tj ET`);

describe('pdfToText()', () => {
  test.each([
    ['90ms-RKSJ-H', 'Japan1', '91e58ee88ef98c8f', '大手需件'],
    ['GBK-EUC-H', 'GB1', 'b5dab6feb6a9b5a5', '第二订单'],
    ['UniKS-UCS2-H', 'Korea1', 'b9e4cd9cc0c8c774', '매출새이'],
  ])('reads text whose font names the predefined character map %s', async (map, ordering, hex, text) => {
    const system = `/CIDSystemInfo << /Registry (Adobe) /Ordering (${ordering}) /Supplement 2 >>`;
    const described = '/FontDescriptor << /Type /FontDescriptor /FontName /X /Flags 4 >>';
    const inner = `<< /Type /Font /Subtype /CIDFontType0 /BaseFont /X ${system} ${described} >>`;
    const font = `<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /${map} /DescendantFonts [${inner}] >>`;
    const file = makePdfOf(['<< /Type /Catalog /Pages 2 0 R >>', PAGES, page(''), show(`<${hex}>`), font]);
    expect(await read(file)).toMatchObject({ kind: 'text', text });
  });

  test('reads the values of form fields and free-text notes, but no passwords and nothing unchecked', async () => {
    const widget = (more: string) => `<< /Type /Annot /Subtype /Widget /Rect [0 0 9 9] ${more} >>`;
    const annotations = [
      widget('/FT /Tx /T (reason) /V (Forty pallets)'),
      widget('/FT /Tx /T (pin) /V (1234) /Ff 8192'),
      widget('/FT /Ch /T (term) /V (Twelve months) /Opt [(Six months) (Twelve months)]'),
      widget('/FT /Btn /T (cold) /V /Yes /AS /Yes /AP << /N << /Yes 4 0 R /Off 4 0 R >> >>'),
      widget('/FT /Btn /T (dry) /V /Off /AS /Off /AP << /N << /Yes 4 0 R /Off 4 0 R >> >>'),
      '<< /Type /Annot /Subtype /FreeText /Rect [0 0 9 9] /Contents (Approved) /DA (/F1 9 Tf) >>',
    ];
    const numbers = annotations.map((_, at) => `${at + 6} 0 R`).join(' ');
    const catalog = `<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [${numbers}] >> >>`;
    const objects = [catalog, PAGES, page(`/Annots [${numbers}]`), show('(Request)'), HELVETICA, ...annotations];
    const parsed = await read(makePdfOf(objects));
    expect(parsed).toMatchObject({ kind: 'text', text: expect.stringMatching(/^Request\n\n/) });
    const lines = parsed.kind === 'text' ? parsed.text.split('\n').slice(2).sort() : [];
    expect(lines).toEqual(['Approved', 'cold: Yes', 'reason: Forty pallets', 'term: Twelve months']);
  });

  test('counts pages without text, and refuses more of them than the share that is set', async () => {
    const file = makePdf(['Lease of hall 3', '', '', '']);
    const refused = { kind: 'problem', code: 'no_text', message: expect.stringContaining('3 of its 4 pages') };
    expect(await read(file)).toMatchObject(refused);
    expect(await read(file, 0.75)).toMatchObject({
      text: 'Lease of hall 3',
      warnings: [expect.stringMatching(/^pages_without_text: 3 of 4 pages/)],
    });
  });

  test('takes a stamp over a picture of the page for no text', async () => {
    const image = (side: number) =>
      pdfStream(
        '0',
        ` /Type /XObject /Subtype /Image /Width ${side} /Height ${side} /ColorSpace /DeviceGray /BitsPerComponent 1`,
      );
    const drawn = pdfStream('q 600 0 0 780 0 0 cm /Im Do Q BT /F1 12 Tf 72 720 Td (RECEIVED) Tj ET');
    const file = (side: number) =>
      makePdfOf(['<< /Type /Catalog /Pages 2 0 R >>', PAGES, page(''), drawn, HELVETICA, image(side)]);
    expect(await read(file(1_000))).toMatchObject({ kind: 'problem', code: 'no_text' });
    expect(await read(file(60))).toMatchObject({ kind: 'text', text: 'RECEIVED' });
  });

  test('takes the cover of a portfolio and the "Please wait" of a form for no document', async () => {
    const catalog = '<< /Type /Catalog /Pages 2 0 R /Collection << /Type /Collection /View /D >> >>';
    const cover = makePdfOf([catalog, PAGES, page(''), show('(Open with a viewer)'), HELVETICA]);
    expect(await read(cover)).toMatchObject({ kind: 'problem', message: expect.stringContaining('portfolio') });
    const waiting = makePdf(['Please wait...\nIf this message is not replaced, your viewer cannot show the form.']);
    expect(await read(waiting)).toMatchObject({ kind: 'problem', message: expect.stringContaining('XFA') });
  });

  test('reads labels and values of an XFA form', async () => {
    const template =
      '<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"><template xmlns="http://www.xfa.org/schema/xfa-template/3.0/"><subform name="form" layout="tb"><pageSet><pageArea><contentArea w="500pt" h="700pt"/><medium stock="a4"/></pageArea></pageSet><draw w="300pt" h="20pt"><value><text>Request for space</text></value></draw><field name="reason" w="300pt" h="20pt"><ui><textEdit/></ui></field></subform></template><xfa:datasets xmlns:xfa="http://www.xfa.org/schema/xfa-data/1.0/"><xfa:data><form><reason>Forty pallets</reason></form></xfa:data></xfa:datasets></xdp:xdp>';
    const catalog = '<< /Type /Catalog /Pages 2 0 R /NeedsRendering true /AcroForm << /Fields [] /XFA 6 0 R >> >>';
    const objects = [catalog, PAGES, page(''), show('(Please wait...)'), HELVETICA, pdfStream(template)];
    expect(await read(makePdfOf(objects))).toMatchObject({ text: 'Request for space\nForty pallets' });
  });
});
