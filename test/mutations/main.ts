import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';
import { MUTATIONS, type Mutation } from './mutations.ts';

/**
 * Breaks guarded lines of the money core, one after the other, in a copy of the tree, and looks whether a test fails for
 * each. `npm run mutations [-- PART OF A NAME]`; ends with 1 where one goes unnoticed.
 */
const root = fileURLToPath(new URL('../..', import.meta.url));
const COPIED = ['src', 'test', 'config', 'jobs', 'workers', 'package.json', 'tsconfig.json', 'vitest.config.ts'];

const [wanted = ''] = process.argv.slice(2);
await using folder = await makeTemporaryFolder('mutations');
for (const name of COPIED) await cp(join(root, name), join(folder.path, name), { recursive: true });
await symlink(join(root, 'node_modules'), join(folder.path, 'node_modules'));

const unnoticed: string[] = [];
for (const mutation of MUTATIONS.filter(({ name }) => name.includes(wanted))) {
  const failed = await testsThatFail(mutation);
  console.log(`${failed.length > 0 ? 'caught  ' : 'UNNOTICED'}  ${mutation.name}  (${mutation.file})`);
  for (const name of failed.slice(0, 1)) console.log(`            ${name}`);
  if (failed.length === 0) unnoticed.push(mutation.name);
}
if (unnoticed.length > 0) process.exitCode = 1;

async function testsThatFail({ file, line, broken, tests }: Mutation): Promise<readonly string[]> {
  const path = join(folder.path, 'src/adapters/redis', file);
  const source = await readFile(path, 'utf8');
  if (source.split(line).length !== 2) throw new Error(`${file} does not have this line once: ${line}`);
  await writeFile(
    path,
    source.replace(line, () => broken),
  );
  try {
    return runTests(tests.map((name) => `test/adapters/redis/${name}`));
  } finally {
    await writeFile(path, source);
  }
}

/** @returns full names of the tests that failed */
function runTests(files: readonly string[]): readonly string[] {
  const output = join(folder.path, 'report.json');
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const { error } = spawnSync(
    process.execPath,
    [vitest, 'run', '--reporter=json', `--outputFile=${output}`, '--root', folder.path, ...files],
    { cwd: folder.path, stdio: 'ignore' },
  );
  if (error !== undefined) throw error;
  const report = JSON.parse(readFileSync(output, 'utf8')) as {
    readonly numTotalTests: number;
    readonly testResults: readonly {
      readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
    }[];
  };
  if (report.numTotalTests === 0) throw new Error(`No test ran of ${files.join(', ')}`);
  const results = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  return results.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName);
}
