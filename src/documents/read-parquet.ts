import { NightmillError } from '../errors.ts';
import type { InputEntry } from './document.ts';
import { type DocumentParser, ParseError, type RandomAccess } from './document-parser.ts';
import { type FieldMapping, findColumns, type TableColumns } from './field-mapping.ts';
import { parseTableRow } from './parse-table-row.ts';

export interface ReadParquetOptions {
  readonly source: string;
  /** First part of the ids of rows where there is no id column: `NAME:ROW`. */
  readonly name: string;
  readonly fields?: FieldMapping | undefined;
  /** Longest text of a row. */
  readonly maxLineBytes: number;
}

/**
 * Documents and problems of a Parquet file, an entry a row; its number, from 1, stands in for the line. Memory holds the
 * columns that are read of one row group.
 *
 * @throws {NightmillError} `input_invalid`: no Parquet file, damaged, a row group that is too large, or no column with the text
 */
export async function* readParquet(
  file: RandomAccess,
  parser: DocumentParser,
  options: ReadParquetOptions,
): AsyncGenerator<readonly InputEntry[], void, undefined> {
  const { source, name, maxLineBytes } = options;
  let row = 0;
  try {
    const table = await parser.openParquet(file);
    const found = findColumns(table.columns, options.fields);
    if ('fault' in found) throw new NightmillError('input_invalid', `Cannot read ${source}: ${found.fault}.`);
    const { columns } = found;
    for await (const rows of table.rows(positions(columns))) {
      yield rows.map((values) => {
        row += 1;
        const text = values[columns.text];
        if (typeof text === 'string' && Buffer.byteLength(text) > maxLineBytes) {
          const message = `The row's text has more than ${maxLineBytes} bytes, the most that is allowed`;
          return { kind: 'problem', problem: { code: 'too_large', message, source, line: row } };
        }
        return parseTableRow(values, columns, { source, line: row, defaultId: `${name}:${row}` });
      });
    }
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const where = row === 0 ? '' : ` past row ${row}`;
    throw new NightmillError('input_invalid', `Cannot read ${source} as Parquet${where}: ${error.message}.`, {
      cause: error,
    });
  }
}

function positions({ text, id, metadata }: TableColumns): readonly number[] {
  return [...new Set([text, ...(id === undefined ? [] : [id]), ...metadata.map(({ at }) => at)])];
}
