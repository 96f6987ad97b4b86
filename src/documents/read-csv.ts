import { NightmillError } from '../errors.ts';
import { describeInvalidUtf8 } from '../text/decode-text.ts';
import type { InputEntry, InputProblemCode } from './document.ts';
import { type FieldMapping, findColumns, type TableColumns } from './field-mapping.ts';
import type { Bytes } from './open-input.ts';
import {
  type CsvDelimiter,
  type CsvRecord,
  CsvRecords,
  detectCsvDelimiter,
  parseCsvRecord,
  parsePlainRecord,
} from './parse-csv.ts';
import { parseTableRow } from './parse-table-row.ts';

export interface ReadCsvOptions {
  readonly source: string;
  /** First part of the ids of rows where there is no id column: `NAME:ROW`. */
  readonly name: string;
  /** Absent: what is most frequent in the header. */
  readonly delimiter?: CsvDelimiter;
  readonly fields?: FieldMapping | undefined;
  readonly maxLineBytes: number;
}

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
/** Enough of a header to tell the delimiter. */
const HEADER_BYTES = 64 * 1024;

/** The line by which Excel is told the delimiter; it is no part of the table. */
const STATED_DELIMITER = /^"?sep=([\t!#-/:-@[-`{-~])"?\r?$/i;

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

type WholeRecord = CsvRecord & { readonly bytes: Uint8Array };
type Fields = { readonly fields: readonly string[] } | { readonly code: InputProblemCode; readonly message: string };

class CsvTable {
  readonly #options: ReadCsvOptions;
  readonly #delimiter: CsvDelimiter;
  readonly #records: CsvRecords;
  readonly #quotes: boolean;
  #header: { readonly width: number; readonly columns: TableColumns } | undefined;
  #row = 0;
  #skipsFirst: boolean;

  constructor(options: ReadCsvOptions, head: Uint8Array) {
    this.#options = options;
    const start = Buffer.from(head.subarray(0, HEADER_BYTES)).toString('utf8');
    const [firstLine = ''] = start.split('\n', 1);
    const stated = STATED_DELIMITER.exec(firstLine)?.[1];
    this.#skipsFirst = stated !== undefined;
    this.#delimiter = options.delimiter ?? stated ?? detectCsvDelimiter(firstLine);
    this.#records = new CsvRecords(this.#delimiter, options.maxLineBytes);
    this.#quotes = quotesFields(start);
  }

  push(chunk: Uint8Array): readonly InputEntry[] {
    return this.#entries(this.#records.push(chunk));
  }

  end(): readonly InputEntry[] {
    return this.#entries(this.#records.end());
  }

  #entries(records: readonly CsvRecord[]): readonly InputEntry[] {
    return records.flatMap((record) => {
      if (this.#skipsFirst) {
        this.#skipsFirst = false;
        return [];
      }
      if ('bytes' in record && record.bytes.length === 0) return [];
      return 'bytes' in record ? this.#readRecord(record) : this.#readFields(record, this.#fields(record));
    });
  }

  /**
   * A record, or the lines of it where a quote that quotes nothing has taken them in: each line is a row then. In tables with
   * tabs such a quote is an ordinary character (27" in front of a word); in others its line is a problem.
   */
  #readRecord(record: WholeRecord): readonly InputEntry[] {
    const read = this.#fields(record);
    const broken = 'message' in read && read.code === 'invalid_row';
    const lines = broken || record.bytes.includes(LINE_FEED) ? linesOf(record) : [];
    const looksLikeRows =
      !this.#quotes && lines.length > 1 && this.#header !== undefined && lines.every((line) => this.#isRow(line));
    if (this.#delimiter === '\t' && (broken || looksLikeRows)) {
      return lines
        .filter(({ bytes }) => bytes.length > 0)
        .flatMap((line) => this.#readFields(line, this.#plainFields(line)));
    }
    const entries = this.#readFields(record, read);
    if (broken && lines.length > 1) {
      const first = lines[0]?.bytes.length ?? 0;
      const rest = new CsvRecords(this.#delimiter, this.#options.maxLineBytes, record.line + 1);
      const bytes = record.bytes.subarray(record.bytes.indexOf(LINE_FEED, first) + 1);
      return [...entries, ...this.#entries(rest.push(bytes)), ...this.#entries(rest.end())];
    }
    if (!looksLikeRows) return entries;
    const warning = `rows_in_field: a quote (") opens a text of ${lines.length} lines that look like rows of their own`;
    return entries.map((entry) =>
      entry.kind === 'problem' ? entry : { ...entry, document: { ...entry.document, warnings: [warning] } },
    );
  }

  #isRow(line: WholeRecord): boolean {
    const read = this.#plainFields(line);
    return 'fields' in read && read.fields.length === this.#header?.width;
  }

  #readFields(record: CsvRecord, read: Fields): readonly InputEntry[] {
    if (this.#header !== undefined) return [this.#readRow(record, read, this.#header)];
    this.#header = this.#readHeader(read);
    return [];
  }

  #readHeader(read: Fields): { readonly width: number; readonly columns: TableColumns } {
    const { source } = this.#options;
    if ('message' in read) {
      throw new NightmillError('input_invalid', `Cannot read the header of ${source}: ${read.message}.`);
    }
    const names = read.fields.map((name) => name.trim());
    const found = findColumns(names, this.#options.fields);
    if ('fault' in found) throw new NightmillError('input_invalid', `Cannot read ${source}: ${found.fault}.`);
    return { width: names.length, columns: found.columns };
  }

  #readRow(
    { line }: CsvRecord,
    read: Fields,
    { width, columns }: { readonly width: number; readonly columns: TableColumns },
  ): InputEntry {
    const { source, name } = this.#options;
    this.#row += 1;
    if ('message' in read) return { kind: 'problem', problem: { ...read, source, line } };
    if (read.fields.length !== width) {
      const message = `The row has ${read.fields.length} fields and the header ${width}: put fields that hold the delimiter, a quote or a line break in quotes`;
      return { kind: 'problem', problem: { code: 'invalid_row', message, source, line } };
    }
    return parseTableRow(read.fields, columns, { source, line, defaultId: `${name}:${this.#row}` });
  }

  #fields(record: CsvRecord): Fields {
    if (!('bytes' in record)) {
      const message = `The row has ${record.tooLargeBytes} bytes; at most ${this.#options.maxLineBytes} are allowed. Is a quote (") not closed?`;
      return { code: 'too_large', message };
    }
    const text = decodeRow(record.bytes);
    if (typeof text !== 'string') return text;
    const parsed = parseCsvRecord(text, this.#delimiter);
    return 'fault' in parsed ? { code: 'invalid_row', message: parsed.fault } : parsed;
  }

  #plainFields({ bytes }: WholeRecord): Fields {
    const text = decodeRow(bytes);
    return typeof text === 'string' ? { fields: parsePlainRecord(text, this.#delimiter) } : text;
  }
}

function decodeRow(bytes: Uint8Array): string | { readonly code: InputProblemCode; readonly message: string } {
  try {
    return utf8.decode(bytes);
  } catch {
    return { code: 'not_utf8', message: `The row ${describeInvalidUtf8(bytes)}` };
  }
}

/** The lines of a record, as if it had no quotes. */
function linesOf({ line, bytes }: WholeRecord): readonly WholeRecord[] {
  const lines: WholeRecord[] = [];
  for (let start = 0; start <= bytes.length; ) {
    const found = bytes.indexOf(LINE_FEED, start);
    const end = found === -1 ? bytes.length : found;
    const isReturn = bytes[end - 1] === CARRIAGE_RETURN && end > start;
    lines.push({ line: line + lines.length, bytes: bytes.subarray(start, isReturn ? end - 1 : end) });
    start = end + 1;
  }
  return lines;
}

/** Whether quotes are seen to quote: around the first name of the header, or doubled. */
function quotesFields(start: string): boolean {
  return start.startsWith('"') || start.includes('""');
}

/** A byte order mark would hide a quote that opens the first field. */
function withoutMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}
