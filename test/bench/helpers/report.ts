import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Table } from './machine.ts';

/** What one benchmark printed, and the machine before it began. */
export interface BenchReport {
  readonly name: string;
  readonly summary: string;
  readonly machine: string;
  readonly seconds: number;
  readonly tables: readonly Table[];
}

/** Writes `bench.json`, with each row as an object of its heads, and `bench.md`. @returns their paths */
export async function writeReports(folder: string, reports: readonly BenchReport[]): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const [json, markdown] = [join(folder, 'bench.json'), join(folder, 'bench.md')];
  const benchmarks = reports.map(({ tables, ...report }) => ({ ...report, tables: tables.map(rowObjects) }));
  await writeFile(json, `${JSON.stringify({ version: 1, benchmarks }, null, 2)}\n`);
  await writeFile(markdown, reports.map(formatReport).join('\n'));
  return [json, markdown];
}

/** A head that a table has twice gets a number. */
function rowObjects([heads = [], ...rows]: Table): readonly Readonly<Record<string, string>>[] {
  const names = heads.map((head, at) => {
    const before = heads.slice(0, at).filter((other) => other === head).length;
    return before === 0 ? head : `${head} ${before + 1}`;
  });
  return rows.map((row) => Object.fromEntries(names.map((head, at) => [head, row[at] ?? ''])));
}

function formatReport({ name, summary, machine, seconds, tables }: BenchReport): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  const parts = tables.map(
    ([heads = [], ...rows]) => `${line(heads)}${line(heads.map(() => '---'))}${rows.map(line).join('')}\n`,
  );
  return `## ${name}\n\n${summary}. ${machine}; ${Math.round(seconds)} s.\n\n${parts.join('')}`;
}
