import { formatUsd } from '../money/money.ts';
import { barPlot, escapeHtml, htmlPage, htmlTable, shareBar } from '../text/html-page.ts';
import { adviceText } from './advice.ts';
import { count, percent } from './format-figures.ts';
import type { Report, ReportLine } from './report.ts';
import { rateTexts, savedTexts, serverTexts, withServersText } from './report-text.ts';

/** The whole report as one page; `htmlPage` says what it may hold. */
export function reportHtml(report: Report): string {
  const { total, days, by, forecast } = report;
  const [from, to] = [report.from, report.to].map((at) => new Date(at).toISOString().slice(0, 16).replace('T', ' '));
  const body = [
    `<h1>Nightmill report</h1><p class="soft">${from} to ${to} UTC, by ${by}</p>`,
    figures(report),
    ...serverTexts(report).map((text) => `<p>Server ${escapeHtml(text)}.</p>`),
    total.power === undefined ? '' : `<p>In all <b>${escapeHtml(withServersText(total) ?? '')}</b>.</p>`,
    ...savedTexts(total).map((text) => `<p>Saved ${escapeHtml(text)}.</p>`),
    forecast === undefined
      ? ''
      : `<p>${forecast.month}: ${formatUsd(forecast.spent)} so far, about <b>${formatUsd(forecast.expected)}</b> at this rate.</p>`,
    repricedNote(total),
    '<h2>Dollars a day</h2>',
    barPlot(
      'dollars a day',
      days.map(({ day, cost }) => ({ label: day.slice(5), value: cost, text: formatUsd(cost) })),
    ),
    '<h2>Documents a day</h2>',
    barPlot(
      'documents a day',
      days.map(({ day, documents }) => ({ label: day.slice(5), value: documents, text: count(documents) })),
    ),
    `<h2>By ${by}</h2>`,
    groupTable(report),
    '<h2>Tiers</h2>',
    tierTable(total),
    '<h2>Beside the days before</h2>',
    driftTable(report),
    ...adviceParts(report),
  ];
  return htmlPage('Nightmill report', body.filter((part) => part !== '').join('\n'));
}

function figures({ total: { sums } }: Report): string {
  const shown: readonly [string, string][] = [
    [formatUsd(sums.cost), sums.uncertain === 0 ? 'spent' : `spent, ${formatUsd(sums.uncertain)} of it uncertain`],
    [count(sums.documents), `documents in ${count(sums.batches)} ${sums.batches === 1 ? 'batch' : 'batches'}`],
    [count(sums.failed), 'failed'],
    [count(sums.calls), 'calls'],
  ];
  return `<div class="figures">${shown.map(([value, name]) => `<div><b>${escapeHtml(value)}</b>${escapeHtml(name)}</div>`).join('')}</div>`;
}

function repricedNote({ repriced }: ReportLine): string {
  if (repriced.length === 0) return '';
  return `<p class="bad">Prices have changed since: ${escapeHtml(repriced.join(', '))}. Dollars here are what was paid.</p>`;
}

function groupTable({ lines, by }: Report): string {
  const columns = [
    { title: by },
    ...['spent', 'documents', 'failed', 'calls', 'tokens', 'for 1,000 documents'].map((title) => ({
      title,
      isNumber: true,
    })),
  ];
  return htmlTable(
    columns,
    lines.map(({ name, sums, rates, repriced }) => [
      `${escapeHtml(name ?? '(no tenant)')}${repriced.length === 0 ? '' : ' <span class="bad">*</span>'}`,
      formatUsd(sums.cost),
      count(sums.documents),
      count(sums.failed),
      count(sums.calls),
      count(sums.inputTokens + sums.outputTokens),
      rates.costPerDocument === undefined ? '' : formatUsd(Math.round(rates.costPerDocument * 1_000)),
    ]),
  );
}

function tierTable({ sums }: ReportLine): string {
  const columns = [
    { title: 'tier', isNumber: true },
    { title: 'model' },
    { title: 'calls', isNumber: true },
    { title: 'documents answered', isNumber: true },
    { title: 'of all documents' },
    { title: 'spent', isNumber: true },
  ];
  return htmlTable(
    columns,
    sums.models.map(({ tier, model, calls, accepted, cost }) => {
      const share = sums.documents === 0 ? 0 : accepted / sums.documents;
      return [
        String(tier + 1),
        escapeHtml(model),
        count(calls),
        count(accepted),
        `${shareBar(`${model} answered ${percent(share)}`, share)}${percent(share)}`,
        formatUsd(cost),
      ];
    }),
  );
}

function driftTable({ total, lines, by }: Report): string {
  const rows = [total, ...lines].flatMap((line, at) =>
    rateTexts(line).map(({ name, text, isNews }) => [
      at === 0 ? '<b>all</b>' : escapeHtml(line.name ?? '(no tenant)'),
      escapeHtml(name),
      isNews ? `<b>${escapeHtml(text)}</b>` : escapeHtml(text),
    ]),
  );
  const note = total.before === undefined ? '<p class="soft">There were no batches in the days before.</p>' : '';
  return `${note}${htmlTable([{ title: by }, { title: 'figure' }, { title: 'now and before', isNumber: true }], rows)}`;
}

function adviceParts({ advice }: Report): readonly string[] {
  if (advice.length === 0) return [];
  const parts = advice.map((each) => {
    const commands = each.commands.map(escapeHtml).join('\n');
    const text = `<p><b>${escapeHtml(each.workflow)}</b>: ${escapeHtml(adviceText(each))}</p>`;
    return commands === '' ? text : `${text}<pre>${commands}</pre>`;
  });
  return ['<h2>What the data say</h2>', ...parts];
}
