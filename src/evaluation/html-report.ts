import { escapeHtml, htmlPage, htmlTable } from '../text/html-page.ts';
import type { RunComparison } from './compare-runs.ts';
import type { DocumentScores, Evaluation } from './evaluation.ts';

const WORST = 25;

/** One page without scripts or outside files: figures, the calibration curve, the confusion table, the worst cases. */
export function htmlReport(evaluation: Evaluation, comparison: RunComparison | undefined): string {
  const { workflow, run, evaluatedAt, documents, metrics, costUsd, latencyMs, calibration, confusion } = evaluation;
  const figures = [
    ['documents', `${documents}`],
    ...Object.entries(metrics).map(([name, value]) => [name, value.toFixed(4)]),
    ...(calibration === undefined
      ? []
      : [
          ['Brier score', calibration.brier.toFixed(4)],
          [`calibration error, ${calibration.bins.length} bins of equal size`, calibration.error.toFixed(4)],
        ]),
    ['dollars', costUsd.toFixed(6)],
    ...(latencyMs === null ? [] : [['latency, median and 95 %', `${latencyMs.median} and ${latencyMs.p95} ms`]]),
  ];
  const body = [
    `<h1>${escapeHtml(workflow)}</h1><p>${escapeHtml(run)}, ${escapeHtml(evaluatedAt)}</p>`,
    table(['figure', 'value'], figures),
    comparison === undefined ? '' : comparisonSection(comparison),
    calibration === undefined ? '' : `<h2>Confidence and truth</h2>${curve(calibration.bins)}`,
    confusion === undefined ? '' : `<h2>Expected and answered</h2>${confusionTable(confusion)}`,
    `<h2>Worst cases</h2>${worstCases(evaluation.items)}`,
  ];
  return htmlPage(`${workflow}: evaluation`, body.join('\n'));
}

function comparisonSection({ baseline, metrics, power, isRegression }: RunComparison): string {
  const verdict = isRegression ? '<p class="bad">A regression.</p>' : '<p>No regression.</p>';
  const needed =
    power === null
      ? ''
      : `<p>A fall of ${(power.margin * 100).toFixed(1)} points takes about ${power.documentsNeeded} documents to see.</p>`;
  const rows = metrics.map(({ metric, before, after, why }) => [
    metric,
    before?.toFixed(4) ?? 'none',
    after?.toFixed(4) ?? 'none',
    why,
  ]);
  return `<h2>Against ${escapeHtml(baseline)}</h2>${verdict}${table(['metric', 'before', 'after', ''], rows)}${needed}`;
}

const SIDE = 240;

function curve(
  bins: readonly { readonly confidence: number; readonly right: number; readonly count: number }[],
): string {
  const x = (value: number) => (value * SIDE).toFixed(1);
  const y = (value: number) => ((1 - value) * SIDE).toFixed(1);
  const points = bins.map(({ confidence, right }) => `${x(confidence)},${y(right)}`).join(' ');
  const dots = bins.map(
    ({ confidence, right, count }) =>
      `<circle cx="${x(confidence)}" cy="${y(right)}" r="4" fill="var(--fill)"><title>${count} answers: confidence ${confidence.toFixed(3)}, right ${right.toFixed(3)}</title></circle>`,
  );
  return (
    `<svg role="img" aria-label="share of right answers by confidence" viewBox="-10 -10 ${SIDE + 20} ${SIDE + 20}" width="${SIDE + 20}">` +
    `<rect width="${SIDE}" height="${SIDE}" fill="none" stroke="var(--line)"/><line x1="0" y1="${SIDE}" x2="${SIDE}" y2="0" stroke="var(--line)" stroke-dasharray="4"/>` +
    `<polyline points="${points}" fill="none" stroke="var(--fill)"/>${dots.join('')}</svg>`
  );
}

function confusionTable(confusion: NonNullable<Evaluation['confusion']>): string {
  const answers = [...new Set(Object.values(confusion).flatMap((row) => Object.keys(row)))].sort();
  const rows = Object.entries(confusion).map(([expected, row]) => [
    expected,
    ...answers.map((answer) => `${row[answer] ?? 0}`),
  ]);
  return table(['expected', ...answers], rows);
}

function worstCases(items: readonly DocumentScores[]): string {
  const scoreOf = ({ scores, valid }: DocumentScores) => Object.values(scores)[0] ?? valid;
  const worst = items
    .filter((item) => scoreOf(item) < 1)
    .sort((a, b) => scoreOf(a) - scoreOf(b) || (b.confidence ?? 0) - (a.confidence ?? 0))
    .slice(0, WORST);
  if (worst.length === 0) return '<p>None.</p>';
  return table(
    ['document', 'score', 'expected', 'answered', 'confidence'],
    worst.map((item) => [
      item.id,
      scoreOf(item).toFixed(3),
      item.expected ?? '',
      item.got ?? item.error ?? '',
      item.confidence?.toFixed(3) ?? '',
    ]),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return htmlTable(
    head.map((title) => ({ title })),
    rows.map((row) => row.map(escapeHtml)),
  );
}
