import { constants, deflateRawSync, deflateSync } from 'node:zlib';

export interface PdfOptions {
  /** The page tree holds itself. */
  readonly loop?: boolean;
  /** Content streams are packed, which pays for a bomb. */
  readonly packed?: boolean;
  /** The trailer says that the file is encrypted with a password that nobody knows. */
  readonly encrypted?: boolean;
}

/** A small PDF with the lines of text of each page; a page without any is blank, like a scan. */
export function makePdf(pages: readonly string[], options: PdfOptions = {}): Buffer {
  const { packed = false } = options;
  return makePages(
    pages.map((text) => streamOf(text, packed)),
    options,
  );
}

/** @param contents the content stream of each page */
function makePages(contents: readonly string[], { loop = false, encrypted = false }: PdfOptions = {}): Buffer {
  const kids = loop ? '2 0 R' : contents.map((_, index) => `${4 + 2 * index} 0 R`).join(' ');
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Kids [${kids}] /Count ${loop ? 5 : contents.length} >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    ...contents.flatMap((content, index) => [
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents ${5 + 2 * index} 0 R >>`,
      content,
    ]),
  ];
  const hex = `<${'61'.repeat(32)}>`;
  const encrypt = encrypted
    ? ` /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O ${hex} /U ${hex} >> /ID [${hex} ${hex}]`
    : '';
  return makePdfOf(objects, encrypt);
}

/** One page whose line of text has so many megabytes of spaces, in some kilobytes. */
export function makePdfBomb(megabytes: number): Buffer {
  // Pieces of a stream that may follow each other, so a megabyte is packed once; it has no sum of its content at its end.
  const piece = (content: string, finishFlush = constants.Z_FULL_FLUSH) =>
    deflateRawSync(content, { finishFlush, level: 9 });
  const stream = Buffer.concat([
    Buffer.of(0x78, 0xda),
    piece('BT /F1 12 Tf 72 720 Td ('),
    ...new Array<Buffer>(megabytes).fill(piece(' '.repeat(1_000_000))),
    piece(') Tj ET', constants.Z_FINISH),
  ]);
  return makePages([pdfStream(stream.toString('latin1'), ' /Filter /FlateDecode')]);
}

/** A PDF of these objects, numbered from 1; the first one is the catalog. */
export function makePdfOf(objects: readonly string[], trailer = ''): Buffer {
  let file = '%PDF-1.4\n';
  const offsets = objects.map((object, index) => {
    const offset = file.length;
    file += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(offset).padStart(10, '0')} 00000 n \n`;
  });
  const size = objects.length + 1;
  file += `xref\n0 ${size}\n0000000000 65535 f \n${offsets.join('')}trailer\n<< /Size ${size} /Root 1 0 R${trailer} >>\nstartxref\n${file.length}\n%%EOF\n`;
  return Buffer.from(file, 'latin1');
}

/** A stream object. */
export function pdfStream(content: string, dictionary = ''): string {
  return `<< /Length ${content.length}${dictionary} >>\nstream\n${content}\nendstream`;
}

function streamOf(text: string, packed: boolean): string {
  const lines = text
    .split('\n')
    .map((line, index) => `${index === 0 ? '' : '0 -14 Td '}(${line.replace(/[()\\]/g, '\\$&')}) Tj`);
  const plain = text === '' ? '' : `BT /F1 12 Tf 72 720 Td ${lines.join(' ')} ET`;
  const content = packed ? deflateSync(plain).toString('latin1') : plain;
  const filter = packed ? ' /Filter /FlateDecode' : '';
  return pdfStream(content, filter);
}
