import { nanoToDecimal } from '../money/money.ts';
import type { Cell, TableColumn } from './result-table.ts';
import type { TableFormat } from './table-format.ts';

/** Bytes that are written at once, about. */
const PIECE_UNITS = 64 * 1024;

/**
 * CSV as RFC 4180 has it, in UTF-8 with a header and line feeds. Text that a spreadsheet would take for a formula (it begins
 * with `=`, `+`, `-`, `@`, a tab or a carriage return) gets an apostrophe in front, because ids, summaries and metadata
 * come from documents that anyone may have written; numbers are left alone.
 */
export const csvTable: TableFormat = {
  extension: 'csv',
  mediaType: 'text/csv; charset=utf-8',
  pieces: csvLines,
};

/** The same as one text. */
export function csvText(columns: readonly TableColumn[], rows: readonly (readonly Cell[])[]): string {
  const lines = rows.map((row) => columns.map(({ kind }, at) => formatCell(kind, row[at])).join(','));
  return `${[columns.map(({ name }) => name).join(','), ...lines].join('\n')}\n`;
}

async function* csvLines(columns: readonly TableColumn[], rows: AsyncIterable<readonly Cell[]>) {
  let piece = `${columns.map(({ name }) => name).join(',')}\n`;
  for await (const row of rows) {
    piece += `${columns.map(({ kind }, at) => formatCell(kind, row[at])).join(',')}\n`;
    if (piece.length < PIECE_UNITS) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

function formatCell(kind: TableColumn['kind'], cell: Cell): string {
  if (cell === undefined) return '';
  if (typeof cell === 'number' && kind === 'usd') return nanoToDecimal(cell);
  if (typeof cell !== 'string') return String(cell);
  const safe = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
