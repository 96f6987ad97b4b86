import { NightmillError } from '../errors.ts';
import { describeInvalidUtf8 } from '../text/decode-text.ts';
import type { InputEntry, InputProblemCode } from './document.ts';
import { type FieldMapping, findColumns, type TableColumns } from './field-mapping.ts';
import type { Bytes } from './open-input.ts';
import { type CsvDelimiter, type CsvRecord, CsvRecords, detectCsvDelimiter, parseCsvRecord } from './parse-csv.ts';
import { parseTableRow } from './parse-table-row.ts';

export interface ReadCsvOptions {
  readonly source: string;
  /** First part of the ids of rows where there is no id column: `NAME:ROW`. */
  readonly name: string;
  /** Absent: what stands most often in the header. */
  readonly delimiter?: CsvDelimiter;
  readonly fields?: FieldMapping | undefined;
  readonly maxLineBytes: number;
}

const LINE_FEED = 10;
/** Enough of a header to tell the delimiter. */
const HEADER_BYTES = 64 * 1024;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Documents and problems of a CSV or TSV content in UTF-8 whose first record is a header: an entry for every record
 * that is not blank, by the line where it begins.
 *
 * @throws {NightmillError} `input_invalid`: no header, or no column with the text
 */
export async function* readCsv(
  bytes: Bytes,
  options: ReadCsvOptions,
): AsyncGenerator<readonly InputEntry[], void, undefined> {
  let head: Uint8Array | undefined = new Uint8Array(0);
  let table: CsvTable | undefined;
  for await (const chunk of bytes) {
    let next = chunk;
    if (head !== undefined) {
      head = Buffer.concat([head, chunk]);
      if (head.length < HEADER_BYTES && !head.includes(LINE_FEED)) continue;
      next = withoutMark(head);
      head = undefined;
    }
    table ??= new CsvTable(options, next);
    yield table.push(next);
  }
  if (head !== undefined && head.length > 0) {
    const whole = withoutMark(head);
    table = new CsvTable(options, whole);
    yield table.push(whole);
  }
  if (table !== undefined) yield table.end();
}

class CsvTable {
  readonly #options: ReadCsvOptions;
  readonly #delimiter: CsvDelimiter;
  readonly #records: CsvRecords;
  #header: { readonly width: number; readonly columns: TableColumns } | undefined;
  #row = 0;

  constructor(options: ReadCsvOptions, head: Uint8Array) {
    this.#options = options;
    const [firstLine = ''] = Buffer.from(head.subarray(0, HEADER_BYTES)).toString('utf8').split('\n', 1);
    this.#delimiter = options.delimiter ?? detectCsvDelimiter(firstLine);
    this.#records = new CsvRecords(this.#delimiter, options.maxLineBytes);
  }

  push(chunk: Uint8Array): readonly InputEntry[] {
    return this.#entries(this.#records.push(chunk));
  }

  end(): readonly InputEntry[] {
    return this.#entries(this.#records.end());
  }

  #entries(records: readonly CsvRecord[]): readonly InputEntry[] {
    const entries: InputEntry[] = [];
    for (const record of records) {
      if ('bytes' in record && record.bytes.length === 0) continue;
      if (this.#header === undefined) this.#header = this.#readHeader(record);
      else entries.push(this.#readRow(record, this.#header));
    }
    return entries;
  }

  #readHeader(record: CsvRecord): { readonly width: number; readonly columns: TableColumns } {
    const { source } = this.#options;
    const read = this.#fields(record);
    if ('message' in read) {
      throw new NightmillError('input_invalid', `Cannot read the header of ${source}: ${read.message}.`);
    }
    const names = read.fields.map((name) => name.trim());
    const found = findColumns(names, this.#options.fields);
    if ('fault' in found) throw new NightmillError('input_invalid', `Cannot read ${source}: ${found.fault}.`);
    return { width: names.length, columns: found.columns };
  }

  #readRow(
    record: CsvRecord,
    { width, columns }: { readonly width: number; readonly columns: TableColumns },
  ): InputEntry {
    const { source, name } = this.#options;
    const { line } = record;
    this.#row += 1;
    const read = this.#fields(record);
    if ('message' in read) return { kind: 'problem', problem: { ...read, source, line } };
    if (read.fields.length !== width) {
      const message = `The row has ${read.fields.length} fields and the header ${width}: put fields that hold the delimiter, a quote or a line break in quotes`;
      return { kind: 'problem', problem: { code: 'invalid_row', message, source, line } };
    }
    return parseTableRow(read.fields, columns, { source, line, defaultId: `${name}:${this.#row}` });
  }

  #fields(
    record: CsvRecord,
  ): { readonly fields: readonly string[] } | { readonly code: InputProblemCode; readonly message: string } {
    if (!('bytes' in record)) {
      const message = `The row has ${record.tooLargeBytes} bytes; at most ${this.#options.maxLineBytes} are allowed. Is a quote (") not closed?`;
      return { code: 'too_large', message };
    }
    let text: string;
    try {
      text = utf8.decode(record.bytes);
    } catch {
      return { code: 'not_utf8', message: `The row ${describeInvalidUtf8(record.bytes)}` };
    }
    const parsed = parseCsvRecord(text, this.#delimiter);
    return 'fault' in parsed ? { code: 'invalid_row', message: parsed.fault } : parsed;
  }
}

/** A byte order mark would hide a quote that opens the first field. */
function withoutMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}
