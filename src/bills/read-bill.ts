import { kindOfPath, openFile } from '../documents/open-input.ts';
import {
  type CsvDelimiter,
  type CsvRecord,
  CsvRecords,
  detectCsvDelimiter,
  parseCsvRecord,
} from '../documents/parse-csv.ts';
import { NightmillError } from '../errors.ts';
import { splitLines } from '../text/split-lines.ts';
import { type BillColumns, type BillField, findBillColumns } from './bill-columns.ts';
import { type BillRecord, billRecords, readBillLine } from './bill-line.ts';
import { BillAdder, type BillTotals } from './bill-sums.ts';

export interface ReadBillOptions {
  /** Columns that the user names for a field; the others are found by their known names. */
  readonly columns: Readonly<Partial<Record<BillField, readonly string[]>>>;
  /** Lines before this moment are left out; milliseconds since the epoch. */
  readonly since?: number;
  /** Lines from this moment on are left out. */
  readonly until?: number;
}

export interface ReadBill {
  readonly totals: BillTotals;
  readonly lines: number;
  /** Left out because of their time. */
  readonly outside: number;
}

const MAX_LINE_BYTES = 16 * 1024 * 1024;
const OPEN_BRACE = 0x7b;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/**
 * Adds up a provider's bill: CSV with a header line, or JSON Lines, by its first byte; also packed with gzip or zstd.
 *
 * @throws {NightmillError} `input_invalid`: unreadable, a figure that is none; `usage`: columns that are not there
 */
export async function readBill(path: string, options: ReadBillOptions): Promise<ReadBill> {
  if ((await kindOfPath(path)) === 'folder') throw new NightmillError('usage', `Cannot read ${path}: it is a folder.`);
  const adder = new BillAdder();
  let columns: BillColumns | undefined;
  let lines = 0;
  let outside = 0;
  for await (const { record, place } of billEntries(path)) {
    columns ??= columnsOf(path, Object.keys(record), options);
    const line = readLine(record, columns, `${path}, ${place}`);
    lines += 1;
    if (isOutside(line.at, options)) outside += 1;
    else adder.add(line);
  }
  return { totals: adder.totals(), lines, outside };
}

function columnsOf(path: string, names: readonly string[], options: ReadBillOptions): BillColumns {
  const found = findBillColumns(names, options.columns);
  const hasTime = found.kind === 'found' && found.columns.time !== undefined;
  if (found.kind === 'found' && (hasTime || (options.since === undefined && options.until === undefined))) {
    return found.columns;
  }
  const what = found.kind === 'missing' ? found.what : 'a column that says the time, which --since and --until need';
  throw new NightmillError(
    'usage',
    `Cannot read ${path} as a bill: it has not ${what}. Its columns: ${names.join(', ')}. ` +
      'Name them: --columns model=NAME,input=NAME,output=NAME,cost=NAME,time=NAME',
  );
}

function readLine(record: BillRecord, columns: BillColumns, where: string) {
  try {
    return readBillLine(record, columns);
  } catch (error) {
    throw new NightmillError('input_invalid', `Cannot read ${where}: ${(error as Error).message}.`, { cause: error });
  }
}

function isOutside(at: number | undefined, { since, until }: ReadBillOptions): boolean {
  if (at === undefined) return false;
  return (since !== undefined && at < since) || (until !== undefined && at >= until);
}

interface BillEntry {
  readonly record: BillRecord;
  /** For messages. */
  readonly place: string;
}

async function* billEntries(path: string): AsyncGenerator<BillEntry> {
  const chunks = openFile(path, path);
  const first = await chunks.next();
  if (first.done === true) return;
  const bytes = BYTE_ORDER_MARK.every((byte, index) => first.value[index] === byte)
    ? first.value.subarray(BYTE_ORDER_MARK.length)
    : first.value;
  async function* all(): AsyncGenerator<Uint8Array> {
    yield bytes;
    yield* chunks;
  }
  const start = bytes.find((byte) => byte > 0x20);
  if (start === OPEN_BRACE) yield* jsonEntries(all(), path);
  else yield* csvEntries(all(), path, bytes);
}

async function* jsonEntries(chunks: AsyncGenerator<Uint8Array>, path: string): AsyncGenerator<BillEntry> {
  const decoder = new TextDecoder();
  for await (const lines of splitLines(chunks, MAX_LINE_BYTES)) {
    for (const raw of lines) {
      const text = 'bytes' in raw ? decoder.decode(raw.bytes).trim() : undefined;
      if (text === '') continue;
      for (const record of billRecords(parseJson(text, `${path}, line ${raw.line}`))) {
        yield { record, place: `line ${raw.line}` };
      }
    }
  }
}

function parseJson(text: string | undefined, where: string): unknown {
  try {
    if (text !== undefined) return JSON.parse(text);
  } catch {
    // said below
  }
  throw new NightmillError(
    'input_invalid',
    `Cannot read ${where}: it is not one JSON object on one line. Bring it into that form, e.g. with: jq -c . FILE`,
  );
}

/** @param start the first bytes, with the header or its beginning */
async function* csvEntries(
  chunks: AsyncGenerator<Uint8Array>,
  path: string,
  start: Uint8Array,
): AsyncGenerator<BillEntry> {
  const decoder = new TextDecoder();
  const [firstLine = ''] = decoder.decode(start).split('\n', 1);
  const delimiter = detectCsvDelimiter(firstLine);
  const records = new CsvRecords(delimiter, MAX_LINE_BYTES);
  let names: readonly string[] | undefined;
  for await (const record of allRecords(records, chunks)) {
    const text = 'bytes' in record ? decoder.decode(record.bytes) : undefined;
    if (text?.trim() === '') continue;
    const fields = fieldsOf(text, delimiter, `${path}, line ${record.line}`, names?.length);
    if (names === undefined) names = fields;
    else
      yield { record: Object.fromEntries(names.map((name, at) => [name, fields[at]])), place: `line ${record.line}` };
  }
}

async function* allRecords(records: CsvRecords, chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<CsvRecord> {
  for await (const chunk of chunks) yield* records.push(chunk);
  yield* records.end();
}

/** @param width fields that a record has; absent: it is the header */
function fieldsOf(text: string | undefined, delimiter: CsvDelimiter, where: string, width?: number): readonly string[] {
  const parsed =
    text === undefined ? { fault: `It has over ${MAX_LINE_BYTES} bytes` } : parseCsvRecord(text, delimiter);
  const fault =
    'fault' in parsed
      ? parsed.fault
      : width !== undefined && parsed.fields.length !== width
        ? `It has ${parsed.fields.length} fields and the header ${width}`
        : undefined;
  if (fault !== undefined) throw new NightmillError('input_invalid', `Cannot read ${where} as CSV: ${fault}.`);
  return 'fields' in parsed ? parsed.fields.map((field) => field.trim()) : [];
}
