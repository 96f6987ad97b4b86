import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { App } from '../../../app.ts';
import { NightmillError } from '../../../errors.ts';
import { type Correction, mergeGolden } from '../../../operations/evidence/corrections.ts';
import { goldenLines, rowsToCorrect } from '../../../operations/evidence/golden.ts';
import { correctionsIn } from '../../../operations/evidence/golden-store.ts';
import { CORRECTION_COLUMNS, correctionCells } from '../../../operations/evidence/golden-table.ts';
import { readNames } from '../../../operations/submit-values.ts';
import { csvTable } from '../../../results/csv-table.ts';
import type { Cell } from '../../../results/result-table.ts';
import { writeTable } from '../../../results/table-format.ts';
import { type GlobalOptions, print, withApp } from '../../with-app.ts';

interface ExportFlags {
  readonly ids?: string;
  readonly sample: string;
  readonly output: string;
}

interface AddFlags {
  readonly ids?: string;
  readonly correct?: string;
  readonly from?: string;
  readonly golden: string;
}

export function addGoldenCommand(program: Command): void {
  const golden = program.command('golden').description('golden sets from rows that a person has corrected');
  const table = golden
    .command('export')
    .description('a table of answers to look at: write ok, or what is right, into its column "correct"')
    .argument('<batch>', 'batch that has ended')
    .option('--ids <ids>', 'these documents, with commas between')
    .option('--sample <n>', 'so many answers, chosen at random', '100')
    .requiredOption('-o, --output <file>', 'CSV file; it must not be there yet')
    .action(async (batchId: string, flags: ExportFlags) => {
      await withApp(table, (app, options) => exportTable(app, options, batchId, flags));
    });
  const add = golden
    .command('add')
    .description('adds corrected rows to a golden set; an id that is there already is replaced')
    .argument('<batch>', 'batch that the rows are of')
    .option('--from <file>', 'the table of golden export, filled in')
    .option('--ids <ids>', 'these documents, with commas between: their answers are right')
    .option('--correct <answer>', 'with --ids: this is right, and not what the rows say')
    .option('--golden <file>', 'the set', 'golden.jsonl')
    .action(async (batchId: string, flags: AddFlags) => {
      await withApp(add, (app, options) => addRows(app, options, batchId, flags));
    });
}

async function exportTable(app: App, options: GlobalOptions, batchId: string, flags: ExportFlags): Promise<void> {
  const { ids, output } = flags;
  if (existsSync(output)) {
    throw new NightmillError(
      'usage',
      `Cannot write ${output}: it is there, and may be filled in already. Name another.`,
    );
  }
  const which = ids === undefined ? { sample: readSample(flags.sample) } : { ids: readIds(ids) };
  const rows = await rowsToCorrect(app, batchId, which);
  async function* cells(): AsyncGenerator<readonly Cell[]> {
    for (const row of rows) yield correctionCells(row);
  }
  await writeTable(output, csvTable, { columns: CORRECTION_COLUMNS, rows: cells() });
  print(options, { batch: batchId, file: output, rows: rows.length }, () =>
    [
      `${output} has ${rows.length} rows. Write ok, or what is right, into the column "correct", then:`,
      `  nightmill golden add ${batchId} --from ${output}`,
      '',
    ].join('\n'),
  );
}

async function addRows(app: App, options: GlobalOptions, batchId: string, flags: AddFlags): Promise<void> {
  const corrections = readChoice(flags);
  const lines = await goldenLines(app, batchId, corrections);
  const before = existsSync(flags.golden) ? readFileSync(flags.golden, 'utf8') : '';
  const merged = merge(before, lines, flags.golden);
  writeFileSync(`${flags.golden}.tmp`, merged.text);
  renameSync(`${flags.golden}.tmp`, flags.golden);
  const { added, replaced } = merged;
  print(options, { batch: batchId, golden: flags.golden, added, replaced }, () =>
    [
      `${flags.golden}: ${added} added, ${replaced} replaced`,
      `  nightmill eval -w WORKFLOW --golden ${flags.golden} scores a workflow with it`,
      '',
    ].join('\n'),
  );
}

function merge(before: string, lines: Parameters<typeof mergeGolden>[1], file: string) {
  try {
    return mergeGolden(before, lines);
  } catch (error) {
    throw new NightmillError('input_invalid', `Cannot add to ${file}: it is no golden set (docs/evaluation.md).`, {
      cause: error,
    });
  }
}

function readChoice({ ids, from, correct }: AddFlags): readonly Correction[] {
  if ((ids === undefined) === (from === undefined) || (correct !== undefined && ids === undefined)) {
    throw new NightmillError(
      'usage',
      'Say which rows: --from corrected.csv (nightmill golden export makes it), or --ids a,b with --correct ANSWER where their answers are wrong.',
    );
  }
  if (ids !== undefined) {
    return readIds(ids).map((id) => ({ id, ...(correct === undefined ? {} : { wanted: correct }) }));
  }
  const file = from ?? '';
  return correctionsIn(readBytes(file), file);
}

function readIds(text: string): readonly string[] {
  const ids = readNames(text);
  if (ids.length > 0) return ids;
  throw new NightmillError('usage', `Cannot use --ids ${JSON.stringify(text)}: name documents, with commas between.`);
}

function readSample(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new NightmillError('usage', `Cannot use --sample ${JSON.stringify(text)}: write a whole number, e.g. 100.`);
}

function readBytes(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new NightmillError('usage', `Cannot read ${file}: ${(error as Error).message}.`, { cause: error });
  }
}
