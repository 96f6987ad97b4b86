import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import PQueue from 'p-queue';
import { formatUsd } from '../../src/money/money.ts';
import { type FaultName, readFaults } from './faults.ts';
import { COMPILE_CACHE } from './processes.ts';
import type { Outcome } from './run-scenario.ts';

const USAGE = `npm run chaos -- [--seeds N] [--seed S] [--at-once K] [--faults NAME,…] [--small]

  --seeds N      so many scenarios (default 10)
  --seed S       from this seed on (default 1)
  --at-once K    so many at once (default 1)
  --faults NAME  these alone, with commas between; "none": dying workers and the provider's faults only (default: each seed draws its own)
  --small        a quarter of each, to try one fault

Ends with code 1 if a guarantee did not hold.`;

const values = readOptionsOrExit();
const faults = readFaultsOrExit();
bundleOnce();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
const first = Number(values.seed);
const outcomes: Outcome[] = [];
const queue = new PQueue({ concurrency: Number(values['at-once']) });
const seeds = Array.from({ length: Number(values.seeds) }, (_, index) => first + index);
await queue.addAll(seeds.map((seed) => async () => tell(await play(seed))));
console.log(summary(outcomes));
process.exitCode = outcomes.some(({ problems }) => problems.length > 0) ? 1 : 0;

function readOptionsOrExit() {
  try {
    const { values: given } = parseArgs({
      options: {
        seeds: { type: 'string', default: '10' },
        seed: { type: 'string', default: '1' },
        'at-once': { type: 'string', default: '1' },
        faults: { type: 'string' },
        small: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const numbers = [given.seeds, given.seed, given['at-once']];
    const wrong = numbers.find((text) => !/^[1-9]\d*$/.test(text));
    if (wrong !== undefined) throw new Error(`${JSON.stringify(wrong)} is no count: give a whole number from 1 on.`);
    if (!given.help) return given;
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
  console.log(USAGE);
  process.exit(0);
}

function readFaultsOrExit(): readonly FaultName[] | undefined {
  try {
    return values.faults === undefined ? undefined : readFaults(values.faults);
  } catch (error) {
    console.error((error as Error).message);
    process.exit(2);
  }
}

/** The workers start from a few files: one that is killed every second should not load a thousand modules every second. */
function bundleOnce(): void {
  const cache = fileURLToPath(new URL('../../node_modules/.cache', import.meta.url));
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(`${cache}/nightmill-chaos-`);
  process.env.NIGHTMILL_TEST_BUNDLE = folder;
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
}

/** In a process of its own: one that looks at Redis every few milliseconds should not wait for another's work. */
async function play(seed: number): Promise<Outcome> {
  const options = JSON.stringify({ small: values.small, ...(faults === undefined ? {} : { faults }) });
  const child = fork(fileURLToPath(new URL('one-seed.ts', import.meta.url)), [String(seed), options], {
    // It loads as many modules as the program has: half of its time to start.
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
  });
  return new Promise((resolve, reject) => {
    child.once('message', (outcome) => resolve(outcome as Outcome));
    child.once('exit', (code) => reject(new Error(`The process of seed ${seed} ended with ${code} and told nothing`)));
  });
}

function tell(outcome: Outcome): void {
  outcomes.push(outcome);
  console.log(line(outcome));
  for (const problem of outcome.problems) console.log(`  ${problem}`);
  if (outcome.folder === undefined) return;
  const options = `${values.faults === undefined ? '' : ` --faults ${values.faults}`}${values.small ? ' --small' : ''}`;
  console.log(`  repeat: npm run chaos -- --seed ${outcome.seed} --seeds 1${options}   kept: ${outcome.folder}`);
}

function line({ seed, scenario, problems, figures, seconds }: Outcome): string {
  return [
    `seed ${String(seed).padStart(4)}  ${problems.length === 0 ? 'ok    ' : 'FAILED'}`,
    `${scenario.workers} workers, ${scenario.limited} limit`.padEnd(25),
    `${figures.documents} documents (${figures.failed} failed)`.padEnd(26),
    `${figures.calls} calls`.padEnd(11),
    `${figures.kills} kills, ${figures.stops} stops, ${figures.ends} ends`.padEnd(26),
    `${formatUsd(figures.cost)} + ${figures.uncertainCalls} uncertain ${formatUsd(figures.uncertain)}`.padEnd(28),
    `use ${percent(figures.leastUse)}`,
    `over ${figures.overshoot}`,
    ...(figures.unbooked === 0
      ? []
      : [`unbooked ${formatUsd(figures.unbooked)} of forgotten ${formatUsd(figures.forgotten)}`]),
    `${seconds.toFixed(1)} s`,
    ...Object.entries(figures.blows).map(([name, count]) => `${name} ${count}`),
  ].join('  ');
}

function summary(all: readonly Outcome[]): string {
  const sum = (pick: (figures: Outcome['figures']) => number) =>
    all.reduce((total, { figures }) => total + pick(figures), 0);
  const rows: readonly (readonly [string, string | number])[] = [
    ['seeds', all.length],
    [
      'failed seeds',
      all
        .filter(({ problems }) => problems.length > 0)
        .map(({ seed }) => seed)
        .sort((a, b) => a - b)
        .join(', ') || 'none',
    ],
    ['documents', sum((figures) => figures.documents)],
    ['billed calls', sum((figures) => figures.calls)],
    ['kill -9', sum((figures) => figures.kills)],
    ['SIGSTOP beyond the lock', sum((figures) => figures.stops)],
    ['SIGTERM', sum((figures) => figures.ends)],
    ['spent', formatUsd(sum((figures) => figures.cost))],
    [
      'uncertain calls',
      `${sum((figures) => figures.uncertainCalls)}, ${formatUsd(sum((figures) => figures.uncertain))}`,
    ],
    [
      'unbooked of forgotten',
      `${formatUsd(sum((figures) => figures.unbooked))} of ${formatUsd(sum((figures) => figures.forgotten))}`,
    ],
    ['smallest use of a limit', percent(Math.min(...all.map(({ figures }) => figures.leastUse)))],
    ['largest overshoot', `${Math.max(...all.map(({ figures }) => figures.overshoot))} nano-dollars`],
    ['samples', sum((figures) => figures.samples)],
    ['replayed transactions', sum((figures) => figures.transactions)],
    ['seconds', Math.round(all.reduce((total, { seconds }) => total + seconds, 0))],
  ];
  return `\n${rows.map(([name, value]) => `${name.padEnd(26)}${value}`).join('\n')}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}
