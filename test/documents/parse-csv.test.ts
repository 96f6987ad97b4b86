import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CsvDelimiter, CsvRecords, detectCsvDelimiter, parseCsvRecord } from '../../src/documents/parse-csv.ts';

interface Row {
  readonly line: number;
  readonly fields?: readonly string[];
  readonly fault?: string;
  readonly tooLarge?: number;
}

/** Reads `bytes` in pieces of `pieceBytes`. */
function readRows(bytes: Uint8Array, pieceBytes: number, delimiter: CsvDelimiter = ',', maxRecordBytes = 1_000): Row[] {
  const records = new CsvRecords(delimiter, maxRecordBytes);
  const rows: Row[] = [];
  const take = (found: ReturnType<CsvRecords['push']>) => {
    for (const record of found) {
      if (!('bytes' in record)) rows.push({ line: record.line, tooLarge: record.tooLargeBytes });
      else rows.push({ line: record.line, ...parseCsvRecord(Buffer.from(record.bytes).toString(), delimiter) });
    }
  };
  for (let start = 0; start < bytes.length; start += pieceBytes)
    take(records.push(bytes.subarray(start, start + pieceBytes)));
  take(records.end());
  return rows;
}

const rowsOf = (text: string, maxRecordBytes?: number) => readRows(Buffer.from(text), 7, ',', maxRecordBytes);

describe('CsvRecords and parseCsvRecord()', () => {
  test('read fields with delimiters, quotes and line breaks in quotes, by the line where each record begins', () => {
    expect(rowsOf('a,"b,1"\r\n"x\ny\r\nz",c\n"say ""hi""",\n\n,last')).toEqual([
      { line: 1, fields: ['a', 'b,1'] },
      { line: 2, fields: ['x\ny\r\nz', 'c'] },
      { line: 5, fields: ['say "hi"', ''] },
      { line: 6, fields: [''] },
      { line: 7, fields: ['', 'last'] },
    ]);
  });

  test('take a quote inside a field that does not begin with one for what it is', () => {
    expect(rowsOf('5" disk,a"b"\nnext,row')).toEqual([
      { line: 1, fields: ['5" disk', 'a"b"'] },
      { line: 2, fields: ['next', 'row'] },
    ]);
  });

  test('name text after a closing quote and a quote that is never closed, and read on where that can be', () => {
    expect(rowsOf('"a"b,c\nd,e\n"open,f\ng,h')).toEqual([
      { line: 1, fault: expect.stringContaining('closing quote') },
      { line: 2, fields: ['d', 'e'] },
      { line: 3, fault: expect.stringContaining('never closed') },
    ]);
  });

  test('skip a record that is too long to its end, inside quotes too, and read on', () => {
    const long = `"${'x'.repeat(50)}\n${'y'.repeat(50)}",1`;
    expect(rowsOf(`a,b\n${long}\nc,d\n`, 40)).toEqual([
      { line: 1, fields: ['a', 'b'] },
      { line: 2, tooLarge: long.length },
      { line: 4, fields: ['c', 'd'] },
    ]);
  });

  test('give back whatever was written, however the bytes are cut', () => {
    const field = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', 'a', ';', '\t') }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { maxLength: 6 }),
        fc.constantFrom<CsvDelimiter>(',', ';', '\t'),
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom('\n', '\r\n'),
        (table, delimiter, pieceBytes, lineBreak) => {
          const text = table
            .map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(delimiter) + lineBreak)
            .join('');
          const read = readRows(Buffer.from(text), pieceBytes, delimiter, 100_000).map((row) => row.fields);
          expect(read).toEqual(table.map((row) => row.map((value) => value.toWellFormed())));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('give the same for random bytes, however they are cut, and never throw', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(0x22, 0x2c, 0x0a, 0x0d, 0x61, 0x00, 0xff), { maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        (values, pieceBytes) => {
          const bytes = Uint8Array.from(values);
          expect(readRows(bytes, pieceBytes, ',', 20)).toEqual(readRows(bytes, 100, ',', 20));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('detectCsvDelimiter() counts outside quotes, and takes a comma where there is none', () => {
    expect(detectCsvDelimiter('id;text;a,b')).toBe(';');
    expect(detectCsvDelimiter('id\ttext')).toBe('\t');
    expect(detectCsvDelimiter('"a;b;c",text,x')).toBe(',');
    expect(detectCsvDelimiter('text')).toBe(',');
  });
});
