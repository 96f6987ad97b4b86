import { readdirSync } from 'node:fs';
import { type Benchmark, runAll } from './helpers/run-all.ts';

const REPORTS = 'bench-results';

const names = readdirSync(new URL('.', import.meta.url))
  .filter((file) => file.endsWith('.ts') && file !== 'main.ts')
  .map((file) => file.slice(0, -'.ts'.length))
  .sort();

const load = async (name: string): Promise<Benchmark> => await import(new URL(`${name}.ts`, import.meta.url).href);

const [name, ...args] = process.argv.slice(2);
if (name === '--help' || name === '-h') {
  console.log(
    `npm run bench [-- NAME [OPTIONS]]\nnpm run bench -- all [NAME...]   all or these, in order, each as short as it says; also writes ${REPORTS}/bench.json and bench.md`,
  );
  for (const known of names) console.log(`  ${known.padEnd(14)}${(await load(known)).summary}`);
} else if (name === undefined || name === 'all') {
  await runNamed(args.length === 0 ? names : args);
} else if (names.includes(name)) {
  await runOne(name);
} else {
  console.error(`There is no benchmark ${JSON.stringify(name)}; known: ${names.join(', ')}.`);
  process.exitCode = 2;
}

async function runOne(name: string): Promise<void> {
  const { summary, run } = await load(name);
  if (args.includes('--help')) {
    console.log(`${name}: ${summary}. docs/benchmarks.md has its options and what was measured.`);
    return;
  }
  try {
    await run(args);
  } catch (error) {
    if (!(error instanceof TypeError) || !('code' in error) || !String(error.code).startsWith('ERR_PARSE_ARGS'))
      throw error;
    console.error(`${name}: ${error.message} docs/benchmarks.md has its options.`);
    process.exitCode = 2;
  }
}

async function runNamed(wanted: readonly string[]): Promise<void> {
  const unknown = wanted.filter((one) => !names.includes(one));
  if (unknown.length > 0) throw new Error(`There is no benchmark ${unknown.join(', ')}; known: ${names.join(', ')}.`);
  const benchmarks = await Promise.all(wanted.map(async (one) => [one, await load(one)] as const));
  console.log(`\nWritten: ${(await runAll(benchmarks, REPORTS)).join(', ')}`);
}
