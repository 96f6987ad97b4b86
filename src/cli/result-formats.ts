import { NightmillError } from '../errors.ts';
import { csvTable } from '../results/csv-table.ts';
import type { TableFormat } from '../results/table-format.ts';

/** For the help of commands that download results. */
export const FORMAT_OPTION = [
  '--format <format>',
  'jsonl, csv or parquet, several with commas: tables beside results.jsonl and errors.jsonl',
  'jsonl',
] as const;

/** What `--format` asks for besides JSONL, which is always written. */
export async function readFormats(text: string): Promise<readonly TableFormat[]> {
  const tables: TableFormat[] = [];
  for (const name of new Set(text.split(',').map((part) => part.trim().toLowerCase()))) {
    if (name === 'csv') tables.push(csvTable);
    else if (name === 'parquet') {
      // Loaded only by those who want it.
      tables.push((await import('../adapters/parquet-table/parquet-table.ts')).parquetTable);
    } else if (name !== 'jsonl') {
      throw new NightmillError('usage', `Cannot write results as ${JSON.stringify(name)}: use jsonl, csv or parquet.`);
    }
  }
  return tables;
}
