import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { markupToText } from '../../src/adapters/document-parser/html-to-text.ts';
import { parseHtml } from '../../src/adapters/document-parser/html-tree.ts';
import { nodeToText } from '../../src/adapters/document-parser/node-to-text.ts';
import { linesOf, proseOf } from '../../src/adapters/document-parser/page-lines.ts';
import { chromeOf, hiddenOf } from '../../src/adapters/document-parser/page-parts.ts';
import { spread } from '../helpers/evaluation-data.ts';

/**
 * Measures how much of manual pages and of articles the ways of reading HTML keep: words, as a bag, without regard to order.
 * Manuals: Debian's documentation packages, where they are installed; articles: the pages that lie beside the project.
 */
const { values: options } = parseArgs({
  options: { help: { type: 'boolean' }, pages: { type: 'string', default: '50' } },
});
if (options.help === true) {
  console.log(`npm run eval:html -- [--pages N]
  --pages   of each manual, default 50
apt-get install python3.11-doc git-doc postgresql-doc-15 sqlite3-doc debian-reference-en`);
  process.exit(0);
}

interface Page {
  readonly html: string;
  readonly truth: string;
}

const MANUALS = [
  '/usr/share/doc/python3.11/html',
  '/usr/share/doc/git/html',
  '/usr/share/doc/postgresql-doc-15',
  '/usr/share/doc/sqlite3',
  '/usr/share/debian-reference',
];
const ARTICLES = fileURLToPath(new URL('../../../shared/data/html-articles/', import.meta.url));

const READERS: Readonly<Record<string, (html: string) => string>> = {
  'all that is shown': (html) => markupToText(html, 'whole').text,
  'article alone': (html) => markupToText(html, 'article').text,
  'body without chrome': bodyText,
  'body, article under .9 of it': (html) => {
    const article = markupToText(html, 'article').text;
    return wordsOf(article).length >= 0.9 * bodyProse(html) ? article : bodyText(html);
  },
  auto: (html) => markupToText(html, 'auto').text,
};

function bodyText(html: string): string {
  const tree = parseHtml(html);
  return nodeToText(tree, new Set([...hiddenOf(tree), ...chromeOf(tree)]));
}

function bodyProse(html: string): number {
  const tree = parseHtml(html);
  return proseOf(linesOf(tree, new Set([...hiddenOf(tree), ...chromeOf(tree)])));
}

function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

function score(page: Page, text: string) {
  const truth = wordsOf(page.truth);
  const left = new Map<string, number>();
  for (const word of truth) left.set(word, (left.get(word) ?? 0) + 1);
  const got = wordsOf(text);
  let both = 0;
  for (const word of got) {
    const count = left.get(word) ?? 0;
    if (count > 0) both += 1;
    left.set(word, count - 1);
  }
  return { truth: truth.length, got: got.length, both };
}

function manualPages(): readonly Page[] {
  const paths = MANUALS.filter((folder) => existsSync(folder)).flatMap((folder) => {
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
    return spread(
      files.filter((path) => /\.html?$/.test(path) && statSync(path).size > 0).sort(),
      Number(options.pages),
    );
  });
  const script = fileURLToPath(new URL('visible-text.py', import.meta.url));
  const { stdout } = spawnSync('python3', [script], { input: paths.join('\n'), encoding: 'utf8', maxBuffer: 1e9 });
  const truths = stdout.split('\n').filter((line) => line !== '');
  return truths
    .map((line, at) => ({ html: readFileSync(paths[at] ?? '', 'utf8'), truth: JSON.parse(line) as string }))
    .filter(({ truth }) => wordsOf(truth).length > 0);
}

function articlePages(): readonly Page[] {
  if (!existsSync(ARTICLES)) return [];
  return readdirSync(ARTICLES)
    .filter((name) => name.endsWith('.source.html'))
    .map((name) => ({
      html: readFileSync(join(ARTICLES, name), 'utf8'),
      truth: markupToText(readFileSync(join(ARTICLES, name.replace('.source.', '.expected.')), 'utf8'), 'whole').text,
    }));
}

function measure(pages: readonly Page[], read: (html: string) => string): string {
  const start = process.cpuUsage();
  const scores = pages.map((page) => score(page, read(page.html)));
  const milliseconds = process.cpuUsage(start).user / 1000 / Math.max(1, pages.length);
  const sum = (key: 'truth' | 'got' | 'both') => scores.reduce((total, one) => total + one[key], 0);
  const good = scores.filter(({ both, truth }) => both >= 0.9 * truth).length / Math.max(1, pages.length);
  const figures = [sum('both') / sum('truth'), sum('both') / sum('got'), good].map((figure) => figure.toFixed(3));
  return `${figures.join(' | ')} | ${milliseconds.toFixed(1)}`;
}

for (const [kind, pages] of [
  ['manuals', manualPages()],
  ['articles', articlePages()],
] as const) {
  console.log(`\n${pages.length} ${kind}\n| reader | recall | precision | pages with .9 | CPU ms a page |`);
  console.log('| --- | ---: | ---: | ---: | ---: |');
  for (const [name, read] of Object.entries(READERS)) console.log(`| ${name} | ${measure(pages, read)} |`);
}
