import { readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { calibrationFile } from '../../../config/calibration/resolve-calibration.ts';
import { workflowOf } from '../../../config/config.ts';
import { type Calibration, METRICS, type Metric } from '../../calibration/calibration.ts';
import { NightmillError } from '../../errors.ts';
import { type CalibrationWish, calibrateRecords, calibrateRows } from '../../operations/evidence/calibrate.ts';
import { makeFolder } from '../../runtime/make-folder.ts';
import { announcer, globalOptions, print, readConfig } from '../with-app.ts';

interface CalibrateFlags {
  readonly records?: string;
  readonly workflow?: string;
  readonly rows?: readonly string[];
  readonly golden?: string;
  readonly target: string;
  readonly delta: string;
  readonly metric: string;
  readonly labels?: string;
  readonly seed: string;
  readonly output?: string;
}

export function addCalibrateCommand(program: Command): void {
  const command = program
    .command('calibrate')
    .description('certified cascade thresholds from recorded answers, or from what a workflow has answered')
    .option('--records <file>', 'recorded answers of several models, JSON lines')
    .option('-w, --workflow <name>', 'calibrate this workflow; its acceptAt: calibrated takes the result')
    .option('--rows <file...>', 'results.jsonl of its batches, with attempts')
    .option('--golden <file>', 'right labels of some of these documents, JSON lines with id and label')
    .option('--target <share>', 'what is promised; with best-minus how much worse than the best model', '0.9')
    .option('--delta <share>', 'chance that the promise is not kept', '0.1')
    .option('--metric <name>', METRICS.join(', '), 'agreement')
    .option('--labels <n>', 'most right answers to look at')
    .option('--seed <n>', 'same seed, same answer', '1')
    .option('-o, --output <file>', 'write the calibration there too')
    .action(async (flags: CalibrateFlags) => {
      const options = globalOptions(command);
      const found = await calibrate(flags, () => readConfig(options), announcer(options));
      const text = `${JSON.stringify(found, null, 2)}\n`;
      if (flags.output !== undefined) write(flags.output, text);
      print(options, found, () => calibrationText(found));
    });
}

async function calibrate(
  flags: CalibrateFlags,
  readSettings: () => ReturnType<typeof readConfig>,
  announce: (line: string) => void,
): Promise<Calibration> {
  const wish = readWish(flags);
  const { records, workflow, rows } = flags;
  if (records !== undefined && workflow === undefined) {
    return await calibrateRecords(readText(records), records, wish);
  }
  if (workflow === undefined || rows === undefined || records !== undefined) {
    throw new NightmillError('usage', 'Say either --records FILE, or -w WORKFLOW with --rows results.jsonl.');
  }
  const config = readSettings();
  const { spec, madeWith } = workflowOf(config, workflow);
  const truth = flags.golden === undefined ? new Map() : readGolden(readText(flags.golden), flags.golden);
  const lines = rows.flatMap((file) => readText(file).split('\n'));
  const found = calibrateRows(spec, lines, truth, wish);
  const stored = { workflow, madeWith: madeWith?.(), calibratedAt: new Date().toISOString(), ...found };
  const file = calibrationFile(config.folder, workflow);
  write(file, `${JSON.stringify(stored, null, 2)}\n`);
  announce(`kept in ${file}; batches submitted from this folder with acceptAt: calibrated use it from now on`);
  return stored;
}

function readWish(flags: CalibrateFlags): CalibrationWish {
  return {
    target: readShare('--target', flags.target),
    delta: readShare('--delta', flags.delta),
    metric: readMetric(flags.metric),
    seed: readCount('--seed', flags.seed),
    labels: flags.labels === undefined ? undefined : readCount('--labels', flags.labels),
  };
}

function readShare(flag: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value < 1) return value;
  throw new NightmillError('usage', `Cannot use ${flag} ${JSON.stringify(text)}: write a share between 0 and 1.`);
}

function readMetric(text: string): Metric {
  const metric = METRICS.find((name) => name === text);
  if (metric !== undefined) return metric;
  throw new NightmillError('usage', `Cannot use --metric ${JSON.stringify(text)}: use one of ${METRICS.join(', ')}.`);
}

function readCount(flag: string, text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new NightmillError('usage', `Cannot use ${flag} ${JSON.stringify(text)}: write a whole number.`);
}

function readGolden(text: string, file: string): ReadonlyMap<string, string> {
  const truth = new Map<string, string>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const entry = parseGolden(line);
    if (entry === undefined) {
      throw new NightmillError('input_invalid', `Cannot use ${file}: line ${index + 1} has no "id" and "label".`);
    }
    truth.set(entry.id, entry.label);
  }
  return truth;
}

function parseGolden(line: string): { readonly id: string; readonly label: string } | undefined {
  try {
    const { id, label } = JSON.parse(line);
    return id === undefined || typeof label !== 'string' ? undefined : { id: String(id), label };
  } catch {
    return undefined;
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new NightmillError('usage', `Cannot read ${file}: ${(error as Error).message}.`, { cause: error });
  }
}

function write(file: string, text: string): void {
  try {
    makeFolder(dirname(file));
    writeFileSync(file, text);
  } catch (error) {
    throw new NightmillError('usage', `Cannot write ${file}: ${(error as Error).message}.`, { cause: error });
  }
}

function calibrationText(found: Calibration & { readonly hindsightShare?: number }): string {
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const { target, delta, metric, tiers, fallback } = found;
  const promise =
    metric === 'best-minus'
      ? `at most ${percent(target)} of the answers worse than with the best model`
      : `at least ${percent(target)} of the answers ${metric === 'agreement' ? 'agree with the strong model' : 'are right'}`;
  const needed = fallback?.labelsNeeded ?? undefined;
  return [
    `promise    ${fallback === null ? `${promise}; wrong in at most ${percent(delta)} of such calibrations` : 'none'}`,
    ...(fallback === null ? [] : [`fallback   the strongest model answers everything: ${fallback.reason}`]),
    ...(needed === undefined ? [] : [`           about ${needed.toLocaleString('en')} labels would do`]),
    ...tiers.map(({ model, threshold, thresholds, ties = {}, share }) => {
      const least = thresholds === undefined ? (threshold?.toFixed(4) ?? '') : describeThresholds(thresholds, ties);
      return `tier       ${model} answers ${percent(share)}${least === '' ? '' : ` from confidence ${least}`}`;
    }),
    `labels     ${found.labelsUsed.toLocaleString('en')}`,
    `cost       ${percent(found.costShareOfStrongest)} of the strongest model alone`,
    ...(found.hindsightShare === undefined
      ? []
      : [
          `hindsight  the strong model would have been needed for ${percent(found.hindsightShare)}, it gets ${percent(found.oracleShare)}`,
        ]),
    '',
  ].join('\n');
}

function describeThresholds(
  thresholds: Readonly<Record<string, number>>,
  ties: Readonly<Record<string, number>>,
): string {
  const lot = (label: string) => {
    const share = ties[label];
    return share === undefined ? '' : ` (of exactly that, ${(share * 100).toFixed(0)} % by lot)`;
  };
  return Object.entries(thresholds)
    .map(([label, threshold]) => `${label} ${threshold.toFixed(4)}${lot(label)}`)
    .join(', ');
}
