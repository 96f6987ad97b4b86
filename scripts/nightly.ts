import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type PackageDocument, packageDocuments } from './nightly/package-documents.ts';
import { verifyDownload } from './nightly/verify-download.ts';

/**
 * The main job on real input: summarises and classifies the READMEs and changelogs of the installed packages through
 * the command line, on the embedded Redis and store, and checks both receipts against the files. Each night is a new
 * batch. Ends with 1 where anything is wrong.
 */
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, '.nightmill/nightly');
const input = join(folder, 'documents.jsonl');
const workflows = ['summarize', 'classify-by-topic'] as const;

const say = (line = '') => console.log(line === '' ? '' : `nightly: ${line}`);
const count = (value: number) => value.toLocaleString('en');

if (!existsSync(join(root, 'node_modules'))) throw new Error('There are no packages to read: run npm ci first.');
const night = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
const documents = packageDocuments(join(root, 'node_modules'));
mkdirSync(folder, { recursive: true });
writeFileSync(input, documents.map((document) => `${JSON.stringify(document)}\n`).join(''));
say(`${count(documents.length)} documents in ${relative(root, input)}`);

const rows = workflows.map((workflow) => ({ workflow, ...work(workflow, documents) }));
report(documents, rows);
if (rows.some(({ problems }) => problems.length > 0)) process.exitCode = 1;

interface Outcome {
  readonly batchId: string;
  readonly output: string;
  readonly seconds: number;
  readonly costUsd: number;
  readonly labels: ReadonlyMap<string, number>;
  readonly problems: readonly string[];
}

/** Runs one workflow as a person would and compares what came out with what went in. */
function work(workflow: string, sent: readonly PackageDocument[]): Outcome {
  const batchId = `nightly-${workflow}-${night}`;
  const output = join(folder, batchId);
  say();
  say(`nightmill run -w ${workflow} --id ${batchId}`);
  const words = [
    'run',
    input,
    '-w',
    workflow,
    '--id',
    batchId,
    '-o',
    output,
    '--config',
    join(root, 'scripts/nightly.yaml'),
  ];
  const startedAt = performance.now();
  const { status, signal } = spawnSync(process.execPath, [join(root, 'bin/nightmill.js'), ...words], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const seconds = (performance.now() - startedAt) / 1000;
  const base = { batchId, output, seconds };
  if (status !== 0) {
    const problem = `nightmill run ended with ${signal ?? `exit code ${status}`}`;
    return { ...base, costUsd: 0, labels: new Map(), problems: [problem] };
  }
  return { ...base, ...verifyDownload({ output, batchId, workflow, sent, store: join(root, '.nightmill/store') }) };
}

function report(
  sent: readonly PackageDocument[],
  outcomes: readonly (Outcome & { readonly workflow: string })[],
): void {
  const lengths = sent.map((document) => document.text.length);
  const longest = sent.reduce((a, b) => (b.text.length > a.text.length ? b : a));
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const facts: readonly (readonly [string, string])[] = [
    ['version', `nightmill ${version}, Node ${process.version}, ${availableParallelism()} cores`],
    ['documents', count(sent.length)],
    ['characters', count(lengths.reduce((sum, length) => sum + length, 0))],
    ['longest', `${count(longest.text.length)} characters, ${longest.id}`],
    ['input', relative(root, input)],
    ...outcomes.flatMap(({ workflow, seconds, costUsd, output, labels, problems }) => [
      ['', ''] as const,
      [
        workflow,
        problems.length === 0 ? 'verified: every document once, counts and checksums agree' : 'WRONG',
      ] as const,
      ...problems.map((problem) => ['  problem', problem] as const),
      ['  time', `${seconds.toFixed(1)} s, ${(sent.length / seconds).toFixed(1)} documents/s`] as const,
      ['  cost', `$${costUsd.toFixed(9).replace(/0+$/, '').replace(/\.$/, '.00')}`] as const,
      ['  files', `${relative(root, output)}/`] as const,
      ...[...labels].sort(([, a], [, b]) => b - a).map(([label, of]) => [`  ${label}`, count(of)] as const),
    ]),
  ];
  const width = Math.max(...facts.map(([name]) => name.length)) + 2;
  say();
  for (const [name, value] of facts) console.log(`${name.padEnd(width)}${value}`.trimEnd());
}
