/** What files of other kinds begin with, none of which text does. */
const FORMATS: readonly { readonly start: string; readonly at?: number; readonly what: string }[] = [
  { start: 'PK\x03\x04', what: 'a ZIP archive (.docx, .xlsx, .odt, .zip)' },
  { start: 'PK\x05\x06', what: 'an empty ZIP archive' },
  { start: '%PDF-', what: 'a PDF' },
  { start: '{\\rtf', what: 'an RTF document' },
  { start: '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', what: 'an old Office file (.doc, .xls, .msg)' },
  { start: '%!PS', what: 'a PostScript file' },
  { start: '\x89PNG\r\n', what: 'a PNG picture' },
  { start: '\xff\xd8\xff', what: 'a JPEG picture' },
  { start: 'GIF87a', what: 'a GIF picture' },
  { start: 'GIF89a', what: 'a GIF picture' },
  { start: 'II*\0', what: 'a TIFF picture' },
  { start: 'MM\0*', what: 'a TIFF picture' },
  { start: 'RIFF', what: 'a RIFF file (sound, video or picture)' },
  { start: 'OggS', what: 'an Ogg file (sound or video)' },
  { start: 'ID3\x03', what: 'an MP3 file' },
  { start: 'ID3\x04', what: 'an MP3 file' },
  { start: 'ftyp', at: 4, what: 'an MP4 file' },
  { start: '\x1f\x8b', what: 'a gzip archive' },
  { start: '\x28\xb5\x2f\xfd', what: 'a zstd archive' },
  { start: '\xfd7zXZ\0', what: 'an xz archive' },
  { start: '7z\xbc\xaf\x27\x1c', what: 'a 7z archive' },
  { start: 'Rar!\x1a\x07', what: 'a RAR archive' },
  { start: 'BZh91AY', what: 'a bzip2 archive' },
  { start: 'SQLite format 3\0', what: 'an SQLite database' },
  { start: 'PAR1', what: 'a Parquet file' },
  { start: '\x7fELF', what: 'a program' },
  { start: '\x78\x9f\x3e\x22', what: 'a winmail.dat of Outlook' },
];
const START_BYTES = 16;

/** What these bytes are, with an article, where they begin as a format does that is not plain text. */
export function findBinaryFormat(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.subarray(0, START_BYTES)).toString('latin1');
  return FORMATS.find((format) => start.startsWith(format.start, format.at ?? 0))?.what;
}
