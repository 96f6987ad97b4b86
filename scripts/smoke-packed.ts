import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Packs the project, installs the tarball into an empty project and runs three documents there on the embedded
 * defaults: what people get from the registry has to work, not only the checkout. Needs the npm registry. Ends with 1
 * and the difference where anything is not as expected.
 */
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'nightmill-packed-'));
const project = join(folder, 'project');
const say = (line: string) => console.log(`smoke-packed: ${line}`);

/** The Node that runs this script first, as `npx` in a project on a recent Node would find it. */
const env: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}`,
};
delete env.NIGHTMILL_CONFIG;

const documents = [
  {
    id: 'match',
    text: 'The home team won the football match after extra time; the players and fans celebrated the cup.',
  },
  { id: 'hospital', text: 'Doctors at the hospital treat patients with the disease using a new medicine and vaccine.' },
  { id: 'vote', text: 'The parliament voted on the law after the election, and the government minister resigned.' },
];
const expectedLabels = { match: 'sports', hospital: 'health', vote: 'politics' };

try {
  const tarball = pack();
  install(tarball);
  checkAnswers();
  checkRun();
  checkProducer();
  checkReadme();
  say('passed');
} catch (error) {
  console.error(`smoke-packed: FAILED: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  // The embedded Redis ends a moment after its last client and may still be writing.
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}

function pack(): string {
  const output = execFileSync('npm', ['pack', '--json', '--silent', '--pack-destination', folder], {
    cwd: root,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [packed] = JSON.parse(output.slice(output.indexOf('['))) as [
    { filename: string; size: number; unpackedSize: number; files: { path: string }[] },
  ];
  const paths = packed.files.map((file) => file.path);
  for (const path of ['bin/nightmill.js', 'dist/src/cli/main.js', 'dist/config/prices/catalogue.json']) {
    assert(paths.includes(path), `the package lacks ${path}; see "files" in package.json and scripts/build.ts`);
  }
  const stray = paths.filter(
    (path) => !/^(bin|dist|docs)\/|^(package\.json|README\.md|CHANGELOG\.md|LICENSE)$/.test(path),
  );
  assert.deepEqual(stray, [], 'the package holds files that do not belong there');
  const kilobytes = (bytes: number) => `${Math.round(bytes / 1000)} kB`;
  say(
    `${packed.filename}: ${kilobytes(packed.size)}, unpacked ${kilobytes(packed.unpackedSize)}, ${paths.length} files`,
  );
  return join(folder, packed.filename);
}

function install(tarball: string): void {
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "name": "smoke", "private": true }\n');
  const startedAt = performance.now();
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', tarball], {
    cwd: project,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  say(`installed in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
}

function nightmill(...words: string[]): string {
  return execFileSync(join(project, 'node_modules/.bin/nightmill'), words, {
    cwd: project,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 120_000,
  });
}

function checkAnswers(): void {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  assert.equal(nightmill('--version').trim(), version, 'nightmill --version differs from package.json');
  const help = nightmill('--help');
  for (const command of ['run', 'submit', 'status', 'results', 'plan', 'worker', 'doctor']) {
    assert.match(help, new RegExp(`^ {2}${command}\\b`, 'm'), `nightmill --help does not list ${command}`);
  }
}

interface Row {
  readonly id: string;
  readonly status: string;
  readonly result: { readonly label: string; readonly confidence: number };
  readonly model: string;
  readonly costUsd: number;
}

function checkRun(): void {
  const input = documents.map((document) => `${JSON.stringify(document)}\n`).join('');
  writeFileSync(join(project, 'documents.jsonl'), input);
  const startedAt = performance.now();
  const status = JSON.parse(
    nightmill('run', 'documents.jsonl', '-w', 'classify', '-o', 'out', '--json', '--log-level', 'error'),
  ) as { state: string };
  say(`ran ${documents.length} documents in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  assert.equal(status.state, 'completed');
  const lines = readFileSync(join(project, 'out/results.jsonl'), 'utf8').trimEnd().split('\n');
  const rows = lines.map((line) => JSON.parse(line) as Row);
  assert.deepEqual(
    rows.map(({ id }) => id),
    documents.map(({ id }) => id),
    'results.jsonl is not the input in its order',
  );
  assert.deepEqual(
    Object.fromEntries(rows.map(({ id, result }) => [id, result.label])),
    expectedLabels,
    'other labels',
  );
  assert(rows.every((row) => row.status === 'succeeded' && row.model === 'local' && row.costUsd === 0));
  assert.equal(readFileSync(join(project, 'out/errors.jsonl'), 'utf8'), '');
  const manifest = JSON.parse(readFileSync(join(project, 'out/manifest.json'), 'utf8')) as Record<string, unknown>;
  const counts = { total: 3, succeeded: 3, failed: 0, cancelled: 0, expired: 0, skipped: 0 };
  assert.deepEqual(manifest.documents, counts, 'the manifest counts otherwise');
  assert.equal(manifest.costUsd, 0);
  assert.equal(manifest.state, 'completed');
}

/** A program of a user, compiled against the types of the package and run. */
function checkProducer(): void {
  const producer = `import { connect, NightmillError, type ResultRow } from 'nightmill';
import { configSchema, manifestSchema } from 'nightmill/schema';

async function* documents() {
  for (const id of ['a', 'b']) yield { id, text: 'The home team won the football match; the fans celebrated the cup.' };
}

await using mill = await connect({ logLevel: 'error' });
const batch = await mill.submit('classify', documents(), { name: 'produced' });
for await (const { state, documents } of batch.progress()) if (documents.total !== 2) throw new Error(state);
const rows: ResultRow[] = [];
for await (const row of batch.results()) rows.push(row);
const { costUsd } = await batch.manifest();
const failed = await mill.batch('nobody').catch((error: unknown) => error instanceof NightmillError && error.code);
console.log(JSON.stringify([rows.map(({ id, result }) => [id, result.label]), costUsd, failed, typeof configSchema, typeof manifestSchema]));
`;
  writeFileSync(join(project, 'producer.mts'), producer);
  const options = ['--module', 'nodenext', '--target', 'es2024', '--lib', 'esnext', '--strict', '--types', 'node'];
  const typeRoots = ['--typeRoots', join(root, 'node_modules/@types')];
  execFileSync(join(root, 'node_modules/.bin/tsc'), [...options, ...typeRoots, 'producer.mts'], {
    cwd: project,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const printed = execFileSync(process.execPath, ['producer.mjs'], {
    cwd: project,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 120_000,
  });
  const expected = [
    [
      ['a', 'sports'],
      ['b', 'sports'],
    ],
    0,
    'batch_unknown',
    'object',
    'object',
  ];
  assert.deepEqual(JSON.parse(printed), expected, 'a program that imports nightmill saw something else');
  say('a producer in TypeScript compiled and ran');
}

/** The example of the README, as it stands there. */
function checkReadme(): void {
  const example = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.[1];
  assert(example !== undefined, 'README.md has no TypeScript example');
  writeFileSync(join(project, 'readme.mjs'), example);
  const printed = execFileSync(process.execPath, ['readme.mjs'], {
    cwd: project,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 120_000,
  });
  assert.equal(printed, 'a sports\n', 'the example of the README prints something else');
}
