import type { Command } from 'commander';
import { NightmillError } from '../../errors.ts';
import type { BatchComparison, CaseSide } from '../../evaluation/compare-batches.ts';
import type { Ranking } from '../../evaluation/rank-runs.ts';
import { compareEndedBatches } from '../../operations/evidence/compare-batches.ts';
import { compareRuns, type RunComparison, runComparisonJson } from '../../operations/evidence/compare-runs.ts';
import type { WorthQuestion } from '../../operations/evidence/worth.ts';
import { readVolume } from '../../plans/switch-worth.ts';
import type { Judged } from '../../workflows/requirements.ts';
import { verdictLines } from '../format-verdicts.ts';
import { worthLines } from '../format-worth.ts';
import { addGpuOptions, type GpuFlags, readGpuOffer, readNumber, readUsd } from '../gpu-options.ts';
import { table } from '../table.ts';
import { print, withApp } from '../with-app.ts';

export function addCompareCommand(program: Command): void {
  const command = program
    .command('compare')
    .description('what was answered to the same documents side by side, without a call')
    .argument(
      '[run...]',
      'two runs of nightmill eval or more, over one golden set: quality with its interval, dollars, latency',
    )
    .option('--batches <batches...>', 'two ended batches instead: agreement, dollars, latency, documents that differ')
    .option('--volume <n/day>', 'what a change from the first run is worth at so many documents, e.g. 40000/day')
    .option('--hours <n>', 'hours of work that the change takes; default 0')
    .option('--rate <usd>', 'of an hour of work; default 0');
  addGpuOptions(command).action(async (names: string[], flags: CompareFlags) => {
    const { batches } = flags;
    const question = readQuestion(flags);
    await withApp(command, async (app, options) => {
      if (batches === undefined) {
        const compared = await compareRuns(app, names, question);
        print(options, runComparisonJson(compared), () => runsText(compared));
        return;
      }
      const [a, b, ...others] = batches;
      if (a === undefined || b === undefined || others.length > 0 || names.length > 0) {
        throw new NightmillError('usage', 'Cannot compare with --batches but two batches: --batches A B.');
      }
      const comparison = await compareEndedBatches(app, a, b);
      print(options, comparison, () => comparisonText(comparison));
    });
  });
}

interface CompareFlags extends GpuFlags {
  readonly batches?: string[];
  readonly volume?: string;
  readonly hours?: string;
  readonly rate?: string;
}

/** Undefined: what a change is worth is not asked. */
function readQuestion(flags: CompareFlags): WorthQuestion | undefined {
  const { volume, hours, rate, batches } = flags;
  const offer = readGpuOffer(flags);
  if (volume === undefined) {
    if (hours === undefined && rate === undefined && offer === undefined) return undefined;
    throw new NightmillError('usage', 'Cannot say what a change is worth without its volume: give --volume 40000/day.');
  }
  if (batches !== undefined) {
    throw new NightmillError('usage', 'Cannot use --volume with --batches: it is for runs of nightmill eval.');
  }
  const documents = readVolume(volume);
  if (documents === undefined) {
    throw new NightmillError(
      'usage',
      `Cannot use --volume ${JSON.stringify(volume)}: write 40000/day, 40000/night or 1000000/month.`,
    );
  }
  const work =
    hours === undefined || rate === undefined
      ? 0
      : Math.round(readNumber('--hours', hours, 100_000) * readUsd('--rate', rate));
  if ((hours === undefined) !== (rate === undefined)) {
    throw new NightmillError('usage', 'Cannot price work with one of --hours and --rate: give both.');
  }
  return { volume: documents, work, offer };
}

function runsText({ workflow, ranking, cascades, judged, worth }: RunComparison): string {
  return [
    rankingText(ranking, cascades),
    ...(judged === undefined ? [] : [...requirementLines(workflow, judged), '']),
    ...(worth === undefined ? [] : [...worthLines(worth), '']),
  ].join('\n');
}

function requirementLines(workflow: string, judged: readonly Judged[]): readonly string[] {
  return [
    `requirements of ${workflow}, over all documents of each run; surely: so for all of them together in 95 of 100 cases`,
    ...verdictLines(judged),
  ];
}

const DISAGREEMENTS_SHOWN = 20;

function rankingText({ documents, runs, disagreements }: Ranking, cascades: RunComparison['cascades']): string {
  const rows = [
    ['run', 'cascade', 'quality', '95 %', 'USD a document', 'quality per USD', 'median ms', 'front'],
    ...runs.map(({ run, metric, quality, interval, costUsd, qualityPerUsd, medianMs, isOnFront }) => [
      run,
      cascades.get(run) ?? '',
      `${metric} ${quality.toFixed(4)}`,
      `${interval[0].toFixed(4)} to ${interval[1].toFixed(4)}`,
      costUsd.toFixed(9),
      qualityPerUsd === null ? 'free' : qualityPerUsd.toFixed(1),
      medianMs === null ? '' : `${medianMs}`,
      isOnFront ? '*' : '',
    ]),
  ];
  const shown = disagreements.slice(0, DISAGREEMENTS_SHOWN);
  return [
    `${documents} documents; * no other run is as good for less, or better for as much`,
    ...table(rows),
    `${disagreements.length} documents are answered differently${disagreements.length > shown.length ? '; the first ones' : ''}`,
    ...shown.map(({ id, expected, answers }) => {
      const said = Object.entries(answers).map(([run, answer]) => `${run}: ${shorten(answer ?? '(none)')}`);
      return `  ${id}${expected === undefined ? '' : ` (${shorten(expected)})`}: ${said.join(', ')}`;
    }),
    '',
  ].join('\n');
}

const CHANGES_SHOWN = 10;

function comparisonText(comparison: BatchComparison): string {
  const { documents, batches, agreement, changes, differing, cases } = comparison;
  const only = [documents.onlyA, documents.onlyB].flatMap((count, index) =>
    count === 0 ? [] : [`${count} only in ${batches[index]?.batch}`],
  );
  const shown = cases.slice(0, DISAGREEMENTS_SHOWN);
  return [
    `${[`${documents.both} documents in both`, ...only].join(', ')}`,
    ...(comparison.isSameContent ? [] : ['not the same input: texts of equal ids may differ']),
    ...table([
      ['batch', 'workflow', 'succeeded', 'failed', 'USD', 'USD a document', 'median ms', '95 % ms'],
      ...batches.map(({ batch, workflow, succeeded, failed, ...figures }) => [
        batch,
        workflow,
        `${succeeded}`,
        `${failed}`,
        figures.costUsd.toFixed(6),
        figures.costPerDocumentUsd.toFixed(9),
        figures.medianMs === null ? '' : `${figures.medianMs}`,
        figures.p95Ms === null ? '' : `${figures.p95Ms}`,
      ]),
    ]),
    agreementText(agreement),
    ...changes
      .slice(0, CHANGES_SHOWN)
      .map(({ from, to, documents: count }) => `  ${shorten(from)} -> ${shorten(to)}: ${count}`),
    ...(changes.length > CHANGES_SHOWN ? [`  and ${changes.length - CHANGES_SHOWN} other pairs of labels`] : []),
    `${differing} documents are answered differently, or by one batch only${differing > shown.length ? '; the first ones' : ''}`,
    ...shown.map(({ id, a, b, rougeL }) => {
      const alike = rougeL === undefined ? '' : ` (alike ${rougeL.toFixed(2)})`;
      return `  ${id}: ${sideText(a)} -> ${sideText(b)}${alike}`;
    }),
    '',
  ].join('\n');
}

function agreementText({ documents, same, share, interval, rougeL }: BatchComparison['agreement']): string {
  if (share === null || interval === null) return 'no document has an answer in both';
  const [low, high] = interval.map((bound) => `${(bound * 100).toFixed(1)} %`);
  const alike = rougeL === undefined ? '' : `; summaries are alike to ${rougeL.toFixed(2)} (ROUGE-L)`;
  return `the same answer for ${same} of ${documents}, ${(share * 100).toFixed(1)} % (${low} to ${high})${alike}`;
}

function sideText({ answer, error, confidence }: CaseSide): string {
  if (answer === null) return `(${error ?? 'no answer'})`;
  return confidence === undefined ? shorten(answer) : `${shorten(answer)} ${confidence.toFixed(2)}`;
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
