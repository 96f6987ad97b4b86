import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

/** The line that a figure is worth nothing without. */
export function machineLine(): string {
  const model = cpus()[0]?.model.trim() || 'unknown processor';
  const memory = Math.round(totalmem() / 2 ** 30);
  return (
    `${availableParallelism()} x ${model}, ${memory} GiB, ${process.platform} ${process.arch}, Node ${process.versions.node}, ` +
    `load before: ${loadavg()[0]?.toFixed(2)}`
  );
}

export type Table = readonly (readonly string[])[];

const listeners = new Set<(table: Table) => void>();

/** Each table that is printed until it is disposed of, the row of heads first. */
export function onTable(listener: (table: Table) => void): Disposable {
  listeners.add(listener);
  return { [Symbol.dispose]: () => void listeners.delete(listener) };
}

/** Columns as wide as their widest cell, numbers to the right. */
export function formatTable(rows: Table): string {
  for (const listener of listeners) listener(rows);
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const isNumber = (cell: string) => /^-?[\d,.]+( ?x| ?%)?$/.test(cell);
  return rows
    .map((row) =>
      row
        .map((cell, column) => (isNumber(cell) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
