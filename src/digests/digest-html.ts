import { escapeHtml, htmlPage, htmlTable, shareBar } from '../text/html-page.ts';
import type { Digest } from './digest.ts';
import { digestLines } from './digest-text.ts';

/** `digest.html`: a page that can be sent as a mail; `htmlPage` says what it may hold. */
export function digestHtml(digest: Digest): string {
  const { title, subtitle, figures, labels, changes, reasons, failures, origin } = digestLines(digest);
  const { summary, withoutText, groups, night } = digest;
  const body = [
    `<h1>${escapeHtml(title)}</h1><p class="soft">${escapeHtml(subtitle)}</p>`,
    ...(summary === undefined ? [] : [paragraphs(summary)]),
    ...(withoutText === undefined ? [] : [`<p class="bad">${escapeHtml(withoutText.message)}</p>`]),
    `<div class="figures">${figures.map(([value, name]) => `<div><b>${escapeHtml(value)}</b>${escapeHtml(name)}</div>`).join('')}</div>`,
    ...groups.flatMap(({ label, documents, summary: text }) =>
      text === undefined
        ? []
        : [
            `<h2>${escapeHtml(label)} <span class="soft">${documents.toLocaleString('en')}</span></h2>${paragraphs(text)}`,
          ],
    ),
    ...section('Labels', ['label', 'documents', 'share', 'before'], withBars(labels, night.documents, night.labels)),
    ...section('Beside the batch before', ['', 'now', 'before'], changes.map(escaped)),
    ...section('Replies not taken', ['code', 'times'], reasons.map(escaped)),
    ...section('Without an answer', ['document', 'code', 'dollars'], failures.map(escaped)),
    ...(origin === '' ? [] : [`<p class="soft">${escapeHtml(origin)}</p>`]),
  ];
  return htmlPage(title, body.join('\n'));
}

function paragraphs(text: string): string {
  return text
    .split(/\n{2,}/)
    .map((part) => `<p>${escapeHtml(part)}</p>`)
    .join('');
}

function escaped(cells: readonly string[]): readonly string[] {
  return cells.map(escapeHtml);
}

function withBars(
  rows: readonly (readonly [string, string, string, string])[],
  documents: number,
  labels: Readonly<Record<string, number>>,
): readonly (readonly string[])[] {
  return rows.map(([label, found, share, before]) => [
    escapeHtml(label),
    found,
    `${shareBar(`${label}: ${share}`, documents === 0 ? 0 : (labels[label] ?? 0) / documents)}${share}`,
    before,
  ]);
}

const TEXT_COLUMNS = new Set(['', 'label', 'share', 'code', 'document']);

function section(title: string, head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  if (rows.length === 0) return [];
  const shown = head.filter((_, at) => rows.some((cells) => cells[at] !== ''));
  const columns = shown.map((name) => ({ title: name, isNumber: !TEXT_COLUMNS.has(name) }));
  return [`<h2>${title}</h2>`, htmlTable(columns, rows)];
}
