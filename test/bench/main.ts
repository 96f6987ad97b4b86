import { readdirSync } from 'node:fs';
import { machineLine, onTable, type Table } from './helpers/machine.ts';
import { type BenchReport, writeReports } from './helpers/report.ts';

const REPORTS = 'bench-results';

/** One benchmark: a file of this folder, named as on the command line. */
export interface Benchmark {
  /** One line for `--help`. */
  readonly summary: string;
  /** Measures and prints. */
  run(args: readonly string[]): Promise<void>;
}

const names = readdirSync(new URL('.', import.meta.url))
  .filter((file) => file.endsWith('.ts') && file !== 'main.ts')
  .map((file) => file.slice(0, -'.ts'.length))
  .sort();

const load = async (name: string): Promise<Benchmark> => await import(new URL(`${name}.ts`, import.meta.url).href);

const [name, ...args] = process.argv.slice(2);
if (name === '--help' || name === '-h') {
  console.log(
    `npm run bench [-- NAME [OPTIONS]]\nnpm run bench -- all [NAME...]   all or these, in order; also writes ${REPORTS}/bench.json and bench.md`,
  );
  for (const known of names) console.log(`  ${known.padEnd(12)}${(await load(known)).summary}`);
} else if (name === undefined || name === 'all') {
  await runAll(args.length === 0 ? names : args);
} else if (names.includes(name)) {
  await (await load(name)).run(args);
} else {
  console.error(`There is no benchmark ${JSON.stringify(name)}; known: ${names.join(', ')}.`);
  process.exitCode = 2;
}

async function runAll(wanted: readonly string[]): Promise<void> {
  const unknown = wanted.filter((one) => !names.includes(one));
  if (unknown.length > 0) throw new Error(`There is no benchmark ${unknown.join(', ')}; known: ${names.join(', ')}.`);
  const reports: BenchReport[] = [];
  for (const one of wanted) {
    const benchmark = await load(one);
    const machine = machineLine();
    const tables: Table[] = [];
    using _listening = onTable((table) => tables.push(table));
    const startedAt = performance.now();
    await benchmark.run([]);
    reports.push({
      name: one,
      summary: benchmark.summary,
      machine,
      seconds: (performance.now() - startedAt) / 1_000,
      tables,
    });
    // After each: a night that is interrupted keeps what it has.
    await writeReports(REPORTS, reports);
  }
  console.log(`\nWritten: ${(await writeReports(REPORTS, reports)).join(', ')}`);
}
