import { mkdir, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { makePdf } from '../helpers/make-pdf.ts';
import { Random } from '../helpers/random.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';
import { nextMessage, startTask } from './helpers/child-task.ts';
import type { ReadFigures, ReadTask } from './helpers/read-folder.ts';
import { printSetting, printTable } from './helpers/table.ts';

export const summary = 'Web pages and PDFs read a second, and peak memory, by 1 and by 2 threads';
export const inAll = ['--pages', '1000', '--pdfs', '150'];

const WORDS =
  'mill river stone wheel grain harvest miller invoice bridge winter flour weight order night water road'.split(' ');
const THREADS = [1, 2];

/** Reads a folder of made-up pages of 22 kB and one of PDFs of five pages into slices, each time in a process of its own. */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { pages: { type: 'string', default: '3000' }, pdfs: { type: 'string', default: '500' } },
  });
  printSetting('Readers: made-up web pages of about 22 kB and PDFs of five pages, each time in a process of its own.');
  await using folder = await makeTemporaryFolder('readers');
  const kinds = [
    { name: 'pages', extension: 'html', count: Number(values.pages), make: webPage },
    { name: 'PDFs', extension: 'pdf', count: Number(values.pdfs), make: pdf },
  ];
  const rows: string[][] = [];
  for (const { name, extension, count, make } of kinds) {
    const path = `${folder.path}/${extension}`;
    await mkdir(path);
    const random = new Random(1);
    for (let n = 0; n < count; n++) {
      await writeFile(`${path}/${String(n).padStart(5, '0')}.${extension}`, make(random, n));
    }
    const found: ReadFigures[] = [];
    for (const threads of THREADS) found.push(await measure({ folder: path, threads }));
    const [first] = found;
    for (const [index, { documents, seconds, peakMb, sha256 }] of found.entries()) {
      const isSame = sha256 === first?.sha256 && documents === count;
      rows.push([
        name,
        String(THREADS[index]),
        documents.toLocaleString('en'),
        seconds.toFixed(1),
        (documents / seconds).toFixed(0),
        peakMb.toFixed(0),
        isSame ? 'yes' : 'NO',
      ]);
      if (!isSame) process.exitCode = 1;
    }
  }
  const heads = ['what', 'threads', 'documents', 's', 'documents/s', 'peak MB', 'same slices'];
  printTable({ caption: 'Documents read into slices', rows: [heads, ...rows] });
}

async function measure(task: ReadTask): Promise<ReadFigures> {
  const child = await startTask('read-folder.ts', task);
  child.send('go');
  const figures = await nextMessage<ReadFigures>(child);
  child.disconnect();
  return figures;
}

function sentence(random: Random): string {
  const words = Array.from({ length: 14 }, () => WORDS[Math.floor(random.next() * WORDS.length)]);
  return `The ${words.join(' ')}.`;
}

function webPage(random: Random, n: number): string {
  const items = Array.from({ length: 40 }, (_, at) => `<li><a href="/topic/${at}">Topic ${at}</a></li>`).join('');
  const paragraphs = Array.from({ length: 48 }, () => {
    const text = Array.from({ length: 4 }, () => sentence(random)).join(' ');
    return `<p class="body">${text} <a href="/note">Note</a></p>`;
  });
  return (
    `<!doctype html><html lang="en"><head><title>Page ${n}</title><style>p { margin: 0 }</style></head><body>` +
    `<nav><ul>${items}</ul></nav><main><article><h1>Page ${n}</h1>${paragraphs.join('\n')}</article></main>` +
    `<footer><p>All rights of page ${n} are kept.</p></footer></body></html>`
  );
}

function pdf(random: Random, n: number): Buffer {
  const pages = Array.from({ length: 5 }, (_, page) =>
    [`Report ${n}, page ${page + 1}`, ...Array.from({ length: 40 }, () => sentence(random))].join('\n'),
  );
  return makePdf(pages, { packed: true });
}
