import { CsvRecords, detectCsvDelimiter, parseCsvRecord } from '../documents/parse-csv.ts';
import type { SampleRow } from './propose-fields.ts';

/** Enough to see what a file is made of. */
export const SAMPLE_ROWS = 100;

/** The objects of JSON Lines; lines that are none are left to the readers, which name them. */
export function rowsOfJsonl(text: string): readonly SampleRow[] {
  const rows: SampleRow[] = [];
  for (const line of text.split('\n')) {
    if (rows.length === SAMPLE_ROWS) break;
    const value = parsed(line);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) rows.push(value as SampleRow);
  }
  return rows;
}

/** The rows of a table with a header, by column; rows that do not fit the header are left out. */
export function rowsOfCsv(bytes: Uint8Array): readonly SampleRow[] {
  const decoder = new TextDecoder();
  const [header = ''] = decoder.decode(bytes).split('\n', 1);
  const delimiter = detectCsvDelimiter(header);
  const records = new CsvRecords(delimiter, bytes.length);
  const fields = [...records.push(bytes), ...records.end()].flatMap((record) => {
    if (!('bytes' in record) || record.bytes.length === 0) return [];
    const read = parseCsvRecord(decoder.decode(record.bytes), delimiter);
    return 'fields' in read ? [read.fields] : [];
  });
  const [names = [], ...rows] = fields;
  return rows
    .filter((row) => row.length === names.length)
    .slice(0, SAMPLE_ROWS)
    .map((row) => Object.fromEntries(names.map((name, at) => [name.trim(), row[at]])));
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
