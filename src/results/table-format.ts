import type { Cell, TableColumn } from './result-table.ts';

/** A file format for tables of results. */
export interface TableFormat {
  /** What the file's name ends with, without the dot. */
  readonly extension: 'csv' | 'parquet';
  /**
   * Writes a new file, flushed to the disk, in bounded memory. One that fails is left unfinished at `path`, so that is
   * not its name yet.
   */
  write(path: string, columns: readonly TableColumn[], rows: AsyncIterable<readonly Cell[]>): Promise<void>;
}
