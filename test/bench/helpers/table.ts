import { type Machine, machineLine, readMachine } from './machine.ts';

/** The row of heads first. */
export type Rows = readonly (readonly string[])[];

export interface Table {
  /** What it shows and of what: a reader has nothing else. */
  readonly caption: string;
  readonly rows: Rows;
  /** What a reader has to know to read it: terms, aims, what is missing and why. */
  readonly note?: string;
}

export interface Listener {
  onSetting(text: string): void;
  onTable(table: Table): void;
}

const listeners = new Set<Listener>();

/** Hears what is printed until it is disposed of. */
export function listen(listener: Listener): Disposable {
  listeners.add(listener);
  return { [Symbol.dispose]: () => void listeners.delete(listener) };
}

/** What a benchmark is about to measure, of what and how, and the machine. */
export function printSetting(text: string, machine: Machine = readMachine()): void {
  for (const listener of listeners) listener.onSetting(text);
  console.log(`${text}\n${machineLine(machine)}\n`);
}

export function printTable(table: Table): void {
  for (const listener of listeners) listener.onTable(table);
  const { caption, rows, note } = table;
  console.log(`${caption}:\n${formatRows(rows)}\n${note === undefined ? '' : `(${note})\n`}`);
}

/** A figure, or that there is none. */
export function isFigure(cell: string): boolean {
  return /^(-?[\d,.]+( ?x| ?%)?|–?)$/.test(cell);
}

/** Columns as wide as their widest cell, figures to the right. */
export function formatRows(rows: Rows): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => (isFigure(cell) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
