import { formatUsd } from '../money/money.ts';
import { adviceText } from '../reports/advice.ts';
import { count, percent } from '../reports/format-figures.ts';
import type { Report, ReportLine } from '../reports/report.ts';
import { rateTexts, savedTexts, serverTexts, withServersText } from '../reports/report-text.ts';

/** The report for people at a terminal. */
export function reportLines(report: Report): string {
  const { total, lines, forecast, by } = report;
  const { sums } = total;
  const days = Math.round((report.to - report.from) / 86_400_000);
  const servers = [
    ...serverTexts(report).map((server) => `  server     ${server}`),
    ...(total.power === undefined ? [] : [`  in all     ${withServersText(total)}`]),
  ];
  if (sums.batches === 0) return [`No batch has ended in the last ${days} days.`, ...servers, ''].join('\n');
  const text = [
    `Last ${days} days: ${formatUsd(sums.cost)} for ${count(sums.documents)} documents in ${count(sums.batches)} ${sums.batches === 1 ? 'batch' : 'batches'}, ${count(sums.failed)} failed` +
      (sums.uncertain === 0 ? '' : `; ${formatUsd(sums.uncertain)} of it uncertain`),
    ...servers,
    ...savedTexts(total).map((saved) => `  saved      ${saved}`),
    ...(forecast === undefined
      ? []
      : [
          `  month      ${forecast.month}: ${formatUsd(forecast.spent)} so far, about ${formatUsd(forecast.expected)} at this rate`,
        ]),
    ...(total.repriced.length === 0 ? [] : [`  prices     changed since: ${total.repriced.join(', ')}`]),
    ...sums.models.map(
      ({ tier, model, calls, accepted, cost }) =>
        `  tier ${tier + 1}     ${model}: ${count(calls)} calls, answered ${percent(sums.documents === 0 ? 0 : accepted / sums.documents)}, ${formatUsd(cost)}`,
    ),
    ...changes(total),
    '',
    ...lines.flatMap((line) => [
      `${line.name ?? '(no tenant)'} (${by})${line.repriced.length === 0 ? '' : ', prices changed since'}: ${formatUsd(line.sums.cost)}, ${count(line.sums.documents)} documents, ${count(line.sums.failed)} failed` +
        (line.power === undefined ? '' : `; ${withServersText(line)}`),
      ...changes(line),
    ]),
    ...adviceLines(report),
  ];
  return `${text.join('\n')}\n`;
}

function changes(line: ReportLine): readonly string[] {
  return rateTexts(line).map(({ name, text, isNews }) => `  ${isNews ? '!' : ' '}          ${name}: ${text}`.trimEnd());
}

function adviceLines({ advice }: Report): readonly string[] {
  if (advice.length === 0) return [];
  const lines = advice.flatMap((each) => [
    `  ${each.workflow}: ${adviceText(each)}`,
    ...each.commands.map((command) => `             ${command}`),
  ]);
  return [
    '',
    'What the data say (nothing is changed by it; savings are of these days, and not to be added up)',
    ...lines,
  ];
}
