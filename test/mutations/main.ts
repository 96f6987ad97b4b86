import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';
import { CHAOS_MUTATIONS } from './chaos-mutations.ts';
import { chaosProblems, failedTests } from './judges.ts';
import type { ChaosJudge, Mutation } from './mutation.ts';
import { MUTATIONS } from './mutations.ts';

/**
 * Breaks guarded lines, one after the other, in a copy of the tree, and looks whether somebody notices: tests, for those of the
 * money core; with `--chaos`, the chaos suite, for those that stand between the program and a fault of its cluster.
 * `npm run mutations [-- --chaos] [PART OF A NAME]`; ends with 1 where one goes unnoticed.
 */
const root = fileURLToPath(new URL('../..', import.meta.url));
const COPIED = ['bin', 'src', 'test', 'config', 'jobs', 'workers', 'package.json', 'tsconfig.json', 'vitest.config.ts'];

const { values, positionals } = parseArgs({
  options: { chaos: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const [wanted = ''] = positionals;
await using folder = await makeTemporaryFolder('mutations');
// Not what benchmarks have installed for themselves.
const filter = (path: string) => !path.endsWith('/node_modules');
for (const name of COPIED) await cp(join(root, name), join(folder.path, name), { recursive: true, filter });
await symlink(join(root, 'node_modules'), join(folder.path, 'node_modules'));

const judgedWhole = new Map<string, readonly string[]>();
const unnoticed: string[] = [];
for (const mutation of (values.chaos ? CHAOS_MUTATIONS : MUTATIONS).filter(({ name }) => name.includes(wanted))) {
  const alone = 'tests' in mutation.judge ? [] : await problemsOfWhole(mutation.judge);
  const noticed = alone.length > 0 ? [] : await withBroken(mutation, () => judge(mutation));
  console.log(`${noticed.length > 0 ? 'caught  ' : 'UNNOTICED'}  ${mutation.name}  (${mutation.file})`);
  for (const name of noticed.slice(0, 1)) console.log(`            ${name}`);
  for (const problem of alone) console.log(`            the whole program fails too: ${problem}`);
  if (noticed.length === 0) unnoticed.push(mutation.name);
}
if (unnoticed.length > 0) process.exitCode = 1;

/** What is said of a program that is whole is no sign that the broken one was noticed. */
async function problemsOfWhole(by: ChaosJudge): Promise<readonly string[]> {
  const key = JSON.stringify(by);
  const known = judgedWhole.get(key) ?? (await chaosProblems(folder.path, by));
  judgedWhole.set(key, known);
  return known;
}

async function withBroken<T>({ file, line, broken }: Mutation, work: () => Promise<T>): Promise<T> {
  const path = join(folder.path, 'src', file);
  const source = await readFile(path, 'utf8');
  if (source.split(line).length !== 2) throw new Error(`${file} does not have this line once: ${line}`);
  await writeFile(
    path,
    source.replace(line, () => broken),
  );
  try {
    return await work();
  } finally {
    await writeFile(path, source);
  }
}

async function judge({ judge: by }: Mutation): Promise<readonly string[]> {
  return 'tests' in by ? failedTests(root, folder.path, by) : await chaosProblems(folder.path, by);
}
