import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Machine, machineLine } from './machine.ts';
import { isFigure, type Rows, type Table } from './table.ts';

interface Named {
  readonly name: string;
  readonly summary: string;
}

/** What one benchmark printed, and the machine before it began. */
export interface RanReport extends Named {
  /** The same again, on a command line. */
  readonly command: string;
  readonly machine: Machine;
  readonly seconds: number;
  /** What it said of itself before its tables. */
  readonly setting?: string;
  readonly tables: readonly Table[];
  /** Why it has not ended well; its tables are those from before. */
  readonly problem?: string;
}

export interface LeftOutReport extends Named {
  readonly leftOut: string;
}

export type BenchReport = RanReport | LeftOutReport;

/** Writes `bench.json`, with each row as an object of its heads, and `bench.md`. @returns their paths */
export async function writeReports(folder: string, reports: readonly BenchReport[]): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const [json, markdown] = [join(folder, 'bench.json'), join(folder, 'bench.md')];
  await writeFile(json, `${JSON.stringify({ version: 2, benchmarks: reports.map(jsonReport) }, null, 2)}\n`);
  await writeFile(markdown, `# Benchmarks\n\n${reports.map(formatReport).join('\n')}`);
  return [json, markdown];
}

function jsonReport(report: BenchReport): object {
  if ('leftOut' in report) return report;
  const { seconds, setting, tables } = report;
  return {
    ...report,
    seconds: Number(seconds.toFixed(1)),
    ...(setting === undefined ? {} : { setting: oneLine(setting) }),
    tables: tables.map(({ caption, rows, note }) => ({
      caption: oneLine(caption),
      rows: rowObjects(rows),
      ...(note === undefined ? {} : { note: oneLine(note) }),
    })),
  };
}

/** A head that a table has twice gets a number. */
function rowObjects([heads = [], ...rows]: Rows): readonly Readonly<Record<string, string>>[] {
  const names = heads.map((head, at) => {
    const before = heads.slice(0, at).filter((other) => other === head).length;
    return before === 0 ? head : `${head} ${before + 1}`;
  });
  return rows.map((row) => Object.fromEntries(names.map((head, at) => [head, row[at] ?? ''])));
}

function formatReport(report: BenchReport): string {
  const head = `## ${report.name}\n\n${report.summary}.\n\n`;
  if ('leftOut' in report) return `${head}Left out: ${report.leftOut}\n`;
  const { command, machine, seconds, setting, tables, problem } = report;
  return [
    head,
    `\`${command}\`, ${Math.round(seconds)} s. ${machineLine(machine)}.\n`,
    setting === undefined ? '' : `\n${oneLine(setting)}\n`,
    problem === undefined ? '' : `\n**${oneLine(problem)}**\n`,
    ...tables.map(formatTable),
  ].join('');
}

function formatTable({ caption, rows: [heads = [], ...rows], note }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escapeCell).join(' | ')} |\n`;
  const isRight = heads.map((_, at) => rows.length > 0 && rows.every((row) => isFigure(row[at] ?? '')));
  const rule = line(isRight.map((right) => (right ? '---:' : '---')));
  const after = note === undefined ? '' : `\n${oneLine(note)}.\n`;
  return `\n**${oneLine(caption)}**\n\n${line(heads)}${rule}${rows.map(line).join('')}${after}`;
}

/** Text of the terminal has breaks of its own. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

function escapeCell(cell: string): string {
  return oneLine(cell).replaceAll('|', '\\|');
}
