import type { Digest } from './digest.ts';
import { digestLines } from './digest-text.ts';

/** `digest.md`. */
export function digestMarkdown(digest: Digest): string {
  const { title, subtitle, figures, labels, changes, reasons, failures, origin } = digestLines(digest);
  const { summary, withoutText, groups, before, night } = digest;
  const told = groups.filter((group) => group.summary !== undefined);
  const parts = [
    `# ${plain(title)}`,
    plain(subtitle),
    ...(summary === undefined ? [] : [plain(summary)]),
    ...(withoutText === undefined ? [] : [`**${plain(withoutText.message)}**`]),
    figures.map(([value, name]) => `- ${value} ${name}`).join('\n'),
    ...told.flatMap(({ label, documents, summary: text = '' }) => [
      `## ${plain(label)} (${documents.toLocaleString('en')})`,
      plain(text),
    ]),
    ...(labels.length === 0
      ? []
      : ['## Labels', table(['label', 'documents', 'share', ...(before === undefined ? [] : ['before'])], labels)]),
    ...(changes.length === 0 ? [] : ['## Beside the batch before', table(['', 'now', 'before'], changes)]),
    ...(reasons.length === 0 ? [] : ['## Replies not taken', table(['code', 'times'], reasons)]),
    ...(failures.length === 0
      ? []
      : [
          '## Without an answer',
          table(['document', 'code', 'dollars'], failures),
          `More of one: \`nightmill show ${night.batch} DOCUMENT\``,
        ]),
    ...(origin === '' ? [] : [plain(origin)]),
  ];
  return `${parts.join('\n\n')}\n`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${head.map((_, at) => plain(cells[at] ?? '')).join(' | ')} |`;
  return [line(head), `|${head.map(() => ' --- |').join('')}`, ...rows.map(line)].join('\n');
}

/** Text of documents and models must not become links, pictures, headings or HTML. */
function plain(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replaceAll(/[\\`*_[\]<>|]/g, String.raw`\$&`)
    .replace(/^[#>+-]/, String.raw`\$&`);
}
