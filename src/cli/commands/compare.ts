import type { Command } from 'commander';
import { NightmillError } from '../../errors.ts';
import { type Ranking, rankRuns } from '../../evaluation/rank-runs.ts';
import { storedEvaluation } from '../../operations/evidence/evaluations.ts';
import { print, withApp } from '../with-app.ts';

export function addCompareCommand(program: Command): void {
  const command = program
    .command('compare')
    .description('runs of nightmill eval side by side: quality with its interval, dollars, latency, disagreements')
    .argument('<run...>', 'two runs or more, of any workflows, over the same golden set')
    .action(async (names: string[]) => {
      await withApp(command, async (app, options) => {
        const runs = [...new Set(names)];
        if (runs.length < 2) throw new NightmillError('usage', 'Cannot compare fewer than two runs: name two or more.');
        const ranking = rankRuns(await Promise.all(runs.map((run) => storedEvaluation(app, run))));
        if (ranking === undefined) {
          throw new NightmillError(
            'usage',
            `Cannot compare ${runs.join(' and ')}: they have no document, or no metric, in common. Evaluate both with one golden set.`,
          );
        }
        print(options, ranking, () => rankingText(ranking));
      });
    });
}

const DISAGREEMENTS_SHOWN = 20;

function rankingText({ documents, runs, disagreements }: Ranking): string {
  const rows = [
    ['run', 'quality', '95 %', 'USD a document', 'quality per USD', 'median ms', 'front'],
    ...runs.map(({ run, metric, quality, interval, costUsd, qualityPerUsd, medianMs, isOnFront }) => [
      run,
      `${metric} ${quality.toFixed(4)}`,
      `${interval[0].toFixed(4)} to ${interval[1].toFixed(4)}`,
      costUsd.toFixed(9),
      qualityPerUsd === null ? 'free' : qualityPerUsd.toFixed(1),
      medianMs === null ? '' : `${medianMs}`,
      isOnFront ? '*' : '',
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const shown = disagreements.slice(0, DISAGREEMENTS_SHOWN);
  return [
    `${documents} documents; * no other run is as good for less, or better for as much`,
    ...rows.map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    ),
    `${disagreements.length} documents are answered differently${disagreements.length > shown.length ? '; the first ones' : ''}`,
    ...shown.map(({ id, expected, answers }) => {
      const said = Object.entries(answers).map(([run, answer]) => `${run}: ${shorten(answer ?? '(none)')}`);
      return `  ${id}${expected === undefined ? '' : ` (${shorten(expected)})`}: ${said.join(', ')}`;
    }),
    '',
  ].join('\n');
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
