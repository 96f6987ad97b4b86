import { readMachine } from './machine.ts';
import { type BenchReport, type RanReport, writeReports } from './report.ts';
import { listen, type Table } from './table.ts';

/** One benchmark: a file of `test/bench/`, named as on the command line. */
export interface Benchmark {
  /** One line for `--help`. */
  readonly summary: string;
  /** What `all` gives it, or why `all` leaves it out. Default: no arguments. */
  readonly inAll?: readonly string[] | { readonly leftOut: string };
  /** Measures and prints. */
  run(args: readonly string[]): Promise<void>;
}

/**
 * Runs them one after the other; one that fails is reported so, and the others go on.
 *
 * @param folder where the reports go
 * @returns their paths
 */
export async function runAll(
  benchmarks: readonly (readonly [name: string, benchmark: Benchmark])[],
  folder: string,
): Promise<readonly string[]> {
  const reports: BenchReport[] = [];
  for (const [name, benchmark] of benchmarks) {
    const { summary, inAll = [] } = benchmark;
    if ('leftOut' in inAll) {
      console.log(`\n== ${name}: left out, ${inAll.leftOut}\n`);
      reports.push({ name, summary, leftOut: inAll.leftOut });
    } else {
      reports.push(await runOne(name, benchmark, inAll));
    }
    // After each: a night that is interrupted keeps what it has.
    await writeReports(folder, reports);
  }
  return await writeReports(folder, reports);
}

async function runOne(name: string, benchmark: Benchmark, args: readonly string[]): Promise<RanReport> {
  const command = `npm run bench -- ${[name, ...args].join(' ')}`;
  console.log(`\n== ${command}\n`);
  const machine = readMachine();
  const settings: string[] = [];
  const tables: Table[] = [];
  using _listening = listen({
    onSetting: (text) => settings.push(text),
    onTable: (table) => tables.push(table),
  });
  // A benchmark that has missed its bound says so there.
  const before = process.exitCode;
  process.exitCode = undefined;
  const startedAt = performance.now();
  const error = await benchmark.run(args).then(
    () => undefined,
    (thrown: unknown) => (thrown instanceof Error ? thrown : new Error(String(thrown))),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  const isMissed = process.exitCode !== undefined && process.exitCode !== 0;
  process.exitCode = error !== undefined || isMissed ? 1 : before;
  if (error !== undefined) console.error(error);
  const problem = error === undefined ? (isMissed ? 'It ended with code 1' : undefined) : `It failed: ${error.message}`;
  return {
    ...{ name, summary: benchmark.summary, command, machine, seconds },
    ...(settings.length === 0 ? {} : { setting: settings.join('\n') }),
    tables,
    ...(problem === undefined ? {} : { problem }),
  };
}
