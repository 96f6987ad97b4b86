import type { Cell, TableColumn } from '../../results/result-table.ts';
import type { RowToCorrect } from './golden.ts';

/** The table that a person fills in. */
export const CORRECTION_COLUMNS: readonly TableColumn[] = [
  { name: 'id', kind: 'text' },
  { name: 'answer', kind: 'text' },
  { name: 'confidence', kind: 'double' },
  { name: 'correct', kind: 'text' },
  { name: 'text', kind: 'text' },
];

/** In the order of the columns; `correct` is empty. */
export function correctionCells({ id, answer, confidence, text }: RowToCorrect): readonly Cell[] {
  return [id, answer, confidence, '', text];
}
