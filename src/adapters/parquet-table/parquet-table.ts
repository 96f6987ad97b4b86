import { ByteWriter, type ColumnSource, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import { NANO_PER_USD } from '../../money/money.ts';
import type { Cell, TableColumn } from '../../results/result-table.ts';
import type { TableFormat } from '../../results/table-format.ts';

/** A row group ends after this many rows or characters of text, so that memory does not grow with the table. */
const GROUP_ROWS = 5_000;
const GROUP_UNITS = 8 * 1024 * 1024;

/** A column of the file, from the cells of a column of the table. */
interface FileColumn {
  readonly element: SchemaElement;
  readonly readValue: (row: readonly Cell[]) => unknown;
}

/**
 * Parquet, packed with Snappy. Integers are 64-bit; a cost is two columns, `costUsd` as a double to calculate with and
 * `costNanoUsd` as the exact integer.
 */
export const parquetTable: TableFormat = {
  extension: 'parquet',
  mediaType: 'application/vnd.apache.parquet',
  pieces: parquetPieces,
};

async function* parquetPieces(columns: readonly TableColumn[], rows: AsyncIterable<readonly Cell[]>) {
  const fileColumns = columns.flatMap(fileColumnsOf);
  const writer = new ByteWriter();
  const root = { name: 'root', num_children: fileColumns.length };
  const table = new ParquetWriter({ writer, schema: [root, ...fileColumns.map(({ element }) => element)] });
  // A copy: the writer uses its memory again, maybe before this piece has left.
  const take = (): Uint8Array => {
    const piece = writer.getBytes().slice();
    writer.index = 0;
    return piece;
  };
  // By column, as they are written, in the same arrays again and again: arrays that grow anew for each group are garbage that V8 holds for long.
  const group = fileColumns.map(() => new Array<unknown>(GROUP_ROWS));
  let groupRows = 0;
  let units = 0;
  const addGroup = async () => {
    const columnData: ColumnSource[] = fileColumns.map(({ element }, at) => ({
      name: element.name,
      data: (group[at] as unknown[]).slice(0, groupRows),
    }));
    await table.write({ columnData, rowGroupSize: groupRows });
    groupRows = 0;
    units = 0;
  };
  for await (const row of rows) {
    for (let at = 0; at < fileColumns.length; at++)
      (group[at] as unknown[])[groupRows] = fileColumns[at]?.readValue(row);
    for (const cell of row) units += typeof cell === 'string' ? cell.length : 8;
    groupRows += 1;
    if (groupRows < GROUP_ROWS && units < GROUP_UNITS) continue;
    await addGroup();
    yield take();
  }
  if (groupRows > 0) await addGroup();
  await table.finish();
  yield take();
}

function fileColumnsOf({ name, kind }: TableColumn, at: number): readonly FileColumn[] {
  const optional = { name, repetition_type: 'OPTIONAL' } as const;
  if (kind === 'text') {
    return [{ element: { ...optional, type: 'BYTE_ARRAY', converted_type: 'UTF8' }, readValue: (row) => row[at] }];
  }
  if (kind === 'double') return [{ element: { ...optional, type: 'DOUBLE' }, readValue: (row) => row[at] }];
  if (kind === 'boolean') return [{ element: { ...optional, type: 'BOOLEAN' }, readValue: (row) => row[at] }];
  const whole = (row: readonly Cell[]) => (row[at] === undefined ? undefined : BigInt(row[at]));
  if (kind === 'integer') return [{ element: { ...optional, type: 'INT64' }, readValue: whole }];
  return [
    { element: { ...optional, type: 'DOUBLE' }, readValue: (row) => Number(row[at]) / NANO_PER_USD },
    { element: { ...optional, name: 'costNanoUsd', type: 'INT64' }, readValue: whole },
  ];
}
