import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Cell, TableColumn } from './result-table.ts';

/** A file format for tables of results. */
export interface TableFormat {
  /** What the file's name ends with, without the dot. */
  readonly extension: 'csv' | 'parquet';
  readonly mediaType: string;
  /** The file's content, in bounded memory. */
  pieces(columns: readonly TableColumn[], rows: AsyncIterable<readonly Cell[]>): AsyncIterable<Uint8Array | string>;
}

/** Writes a new file, flushed to the disk. One that fails is left unfinished at `path`, so that is not its name yet. */
export async function writeTable(
  path: string,
  format: Pick<TableFormat, 'pieces'>,
  { columns, rows }: { readonly columns: readonly TableColumn[]; readonly rows: AsyncIterable<readonly Cell[]> },
): Promise<void> {
  await pipeline(format.pieces(columns, rows), createWriteStream(path, { flags: 'wx', flush: true }));
}
