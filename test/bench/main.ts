import { readdirSync } from 'node:fs';

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
  console.log('npm run bench [-- NAME [OPTIONS]]\nWithout a name, all of them:');
  for (const known of names) console.log(`  ${known.padEnd(12)}${(await load(known)).summary}`);
} else if (name === undefined) {
  for (const known of names) await (await load(known)).run([]);
} else if (names.includes(name)) {
  await (await load(name)).run(args);
} else {
  console.error(`There is no benchmark ${JSON.stringify(name)}; known: ${names.join(', ')}.`);
  process.exitCode = 2;
}
