import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type PackageDocument, packageDocuments } from './nightly/package-documents.ts';
import { type Verified, verifyDownload } from './nightly/verify-download.ts';

/**
 * The main job on real input: summarises the READMEs and changelogs of the installed packages, then sorts the packages
 * by topic from the summaries, all through the command line on the embedded Redis and store, and checks both receipts
 * against the files. Each night has batches of its own. Ends with 1 where anything is wrong.
 */
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, '.nightmill/nightly');
const say = (line: string) => console.log(`nightly: ${line}`);
const count = (value: number) => value.toLocaleString('en');

/** One batch and what it came to. */
interface Outcome extends Verified {
  readonly workflow: string;
  readonly input: string;
  readonly output: string;
  readonly sent: readonly PackageDocument[];
  readonly seconds: number;
}

if (!existsSync(join(root, 'node_modules'))) throw new Error('There are no packages to read: run npm ci first.');
mkdirSync(folder, { recursive: true });
// Like 20261231-235959, in UTC.
const night = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
const documents = packageDocuments(join(root, 'node_modules'));
if (documents.length === 0) throw new Error('No package has a README: is node_modules complete?');
const summaries = work('summarize', 'documents.jsonl', documents);
const outcomes = [summaries];
if (summaries.problems.length === 0) {
  const texts = documents.map((document) => ({ ...document, text: summaries.answers.get(document.id) ?? '' }));
  outcomes.push(work('classify-by-topic', 'summaries.jsonl', texts));
}
report(outcomes);
if (outcomes.some(({ problems }) => problems.length > 0)) process.exitCode = 1;

/** Runs one workflow as a person would and compares what came out with what went in. */
function work(workflow: string, file: string, sent: readonly PackageDocument[]): Outcome {
  const batchId = `nightly-${workflow}-${night}`;
  const output = join(folder, batchId);
  const input = join(folder, file);
  writeFileSync(input, sent.map((document) => `${JSON.stringify(document)}\n`).join(''));
  say(`${count(sent.length)} documents: nightmill run ${file} -w ${workflow} --id ${batchId}`);
  const config = join(root, 'scripts/nightly.yaml');
  const words = ['run', input, '-w', workflow, '--id', batchId, '-o', output, '--config', config];
  const startedAt = performance.now();
  const { status, signal } = spawnSync(process.execPath, [join(root, 'bin/nightmill.js'), ...words], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const seconds = (performance.now() - startedAt) / 1000;
  const problems = status === 0 ? [] : [`nightmill run ended with ${signal ?? `exit code ${status}`}`];
  const verified: Verified = existsSync(join(output, 'manifest.json'))
    ? verifyDownload({ output, batchId, workflow, sent, store: join(root, '.nightmill/store') })
    : { costUsd: 0, answers: new Map(), labels: new Map(), problems: ['there is no manifest.json'] };
  return { ...verified, workflow, input, output, sent, seconds, problems: [...problems, ...verified.problems] };
}

function report(outcomes: readonly Outcome[]): void {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const facts: (readonly [string, string])[] = [
    ['nightmill', `${version}, Node ${process.versions.node}, ${availableParallelism()} cores`],
  ];
  for (const { workflow, input, output, sent, seconds, costUsd, labels, problems } of outcomes) {
    const characters = sent.reduce((sum, { text }) => sum + text.length, 0);
    const longest = sent.reduce((a, b) => (b.text.length > a.text.length ? b : a));
    facts.push(
      ['', ''],
      [workflow, problems.length === 0 ? 'verified: every document once, counts and checksums agree' : 'WRONG'],
      ...problems.slice(0, 20).map((problem) => ['  problem', problem] as const),
      ['  documents', count(sent.length)],
      ['  characters', `${count(characters)}, the longest ${count(longest.text.length)} (${longest.id})`],
      ['  time', `${seconds.toFixed(1)} s, ${(sent.length / seconds).toFixed(1)} documents/s`],
      ['  cost', `${costUsd} USD`],
      ['  input', relative(root, input)],
      ['  output', `${relative(root, output)}/`],
      ...[...labels].sort(([, a], [, b]) => b - a).map(([label, of]) => [`    ${label}`, count(of)] as const),
    );
  }
  const width = Math.max(...facts.map(([name]) => name.length)) + 2;
  console.log(`\n${facts.map(([name, value]) => `${name.padEnd(width)}${value}`.trimEnd()).join('\n')}`);
}
