import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Measured } from './helpers/cost-table.ts';
import { printSetting, printTable } from './helpers/table.ts';
import { measure, removeFolders } from './overhead.ts';

export const summary = 'A worker of this tree beside one of another tree: CPU a document, as a ratio with its error';
export const inAll = { leftOut: 'it needs another tree: npm run bench -- against FOLDER' };

interface Pair {
  readonly here: number;
  readonly there: number;
  readonly redis: number;
  /** Of the two workers, here and there. */
  readonly peakMb: readonly [number, number];
}

/**
 * Two workers run at the same time, each with a Redis and a provider of its own, so that both have what else happens on the
 * machine: a few pairs show a change of 1 %, where runs one after the other differ by 20 % from themselves. The other tree's
 * worker gets batches that this tree has submitted.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { rounds: { type: 'string', default: '8' }, documents: { type: 'string', default: '8000' } },
  });
  const [folder] = positionals;
  const program = resolve(folder ?? '', 'bin/nightmill.js');
  if (folder === undefined || !existsSync(program)) {
    console.error(`Give the folder of another tree with its packages installed; ${program} is not there.`);
    process.exitCode = 2;
    return;
  }
  const documents = Number(values.documents);
  const load = { documents, warmUp: Math.ceil(documents / 5), inFlight: 64, latencyMs: 0 };
  printSetting(
    `Against ${folder}: ${documents.toLocaleString('en')} documents a worker, side by side, ${values.rounds} rounds; Redis with appendfsync always.`,
  );
  const pairs: Pair[] = [];
  try {
    for (let round = 0; round < Number(values.rounds); round += 1) {
      // In turns: the one that starts first has it 2 % cheaper.
      const programs = round % 2 === 0 ? [undefined, program] : [program, undefined];
      const measured = await Promise.all(programs.map((each) => measure('system', load, each)));
      const [here, there] = (round % 2 === 0 ? measured : measured.reverse()) as [Measured, Measured];
      pairs.push({
        here: here.cpuMs / here.calls,
        there: there.cpuMs / there.calls,
        redis: redisMs(here) / redisMs(there),
        peakMb: [here.peakMb ?? Number.NaN, there.peakMb ?? Number.NaN],
      });
    }
  } finally {
    await removeFolders();
  }
  const row = (name: string, ratios: readonly number[]) => [
    name,
    mean(ratios).toFixed(3),
    error(ratios).toFixed(3),
    ratios.map((ratio) => ratio.toFixed(2)).join(' '),
  ];
  const peakOf = (side: 0 | 1) => Math.max(...pairs.map(({ peakMb }) => peakMb[side])).toFixed(0);
  printTable({
    caption: "CPU a document, this tree's over the other's",
    rows: [
      ['of', 'mean', '±', 'each round'],
      row(
        'worker',
        pairs.map(({ here, there }) => here / there),
      ),
      row(
        'Redis',
        pairs.map(({ redis }) => redis),
      ),
    ],
    note:
      `ms a document here: ${mean(pairs.map(({ here }) => here)).toFixed(3)}; the workers' peaks, MB: here ${peakOf(0)}, there ${peakOf(1)}; ` +
      '± is the standard error of the mean',
  });
}

function redisMs({ redis, calls }: Measured): number {
  return (redis?.cpuMs ?? Number.NaN) / calls;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of the mean. */
function error(values: readonly number[]): number {
  const middle = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1) / values.length);
}
