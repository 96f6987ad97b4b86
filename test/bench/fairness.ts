import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { RedisBatchRegistry } from '../../src/adapters/redis/batches.ts';
import { RedisKeys } from '../../src/adapters/redis/keys.ts';
import type { BatchRecord } from '../../src/batches/batch-registry.ts';
import { runCli } from '../helpers/cli.ts';
import { startRedisServer } from '../helpers/redis-server.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';
import { MODEL_ID, makeDocument, mixedBytes, writeDocuments } from './helpers/documents.ts';
import { startWorkers, throwIfEnded, writeConfig } from './helpers/system.ts';
import { printSetting, printTable } from './helpers/table.ts';

export const summary = 'A small tenant behind a large one: its time against its time alone, and what that costs all';
export const inAll = ['--quick'];

const SIMULATOR = new URL('../../workers/simulate.ts', import.meta.url).pathname;
const MIN_BYTES = 100;
const MAX_BYTES = 6_000;
const LATENCY = { p50Ms: 200, p95Ms: 400 };
const POLL_MS = 25;
/** The small batch comes when this part of the large one is done. */
const HEAD_START_SHARE = 0.05;

interface Setting {
  readonly folder: string;
  readonly batches: RedisBatchRegistry;
  readonly workers: readonly ChildProcess[];
}

interface Round {
  /** Seconds from the submission of each small batch to its manifest. */
  readonly small: readonly number[];
  /** Seconds from the submission of the large batch until all have theirs. */
  readonly total: number;
}

/**
 * Two tenants submit 20,000 and 200 documents of mixed size, in this order, to real workers with the simulator as
 * provider. The same once more under one tenant's name, which is first come, first served. With `--smalls N` N small ones
 * come one after another, each of a tenant of its own: times of seconds need many samples.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      large: { type: 'string' },
      small: { type: 'string' },
      smalls: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '1' },
      workers: { type: 'string', default: '2' },
      concurrency: { type: 'string', default: '16' },
      'tokens-per-minute': { type: 'string', default: '6000000' },
    },
  });
  const large = Number(values.large ?? (values.quick ? 2_000 : 20_000));
  const small = Number(values.small ?? 200);
  const limits = {
    requestsPerMinute: 60_000,
    tokensPerMinute: Number(values['tokens-per-minute']),
    concurrency: Number(values.concurrency),
  };
  printSetting(
    `Fairness: ${values.workers} workers, ${limits.concurrency} calls each at once, ${LATENCY.p50Ms} ms a call, ` +
      `${limits.tokensPerMinute.toLocaleString('en')} tokens per minute; documents of ${MIN_BYTES} to ${MAX_BYTES.toLocaleString('en')} bytes; rounds: ${values.rounds}.`,
  );
  await using folder = await makeTemporaryFolder('fairness');
  await using redis = await startRedisServer();
  const simulator = await startSimulatorProcess(folder.path, limits);
  let workers: readonly ChildProcess[] = [];
  try {
    const redisSocket = redis.url.replace('unix://', '');
    await writeConfig(folder.path, { redisSocket, providerUrl: simulator.url, limits });
    const documents = Array.from({ length: large + small }, (_, number) =>
      makeDocument(number, mixedBytes(number, MIN_BYTES, MAX_BYTES)),
    );
    await writeDocuments(`${folder.path}/large.jsonl`, documents.slice(0, large));
    await writeDocuments(`${folder.path}/small.jsonl`, documents.slice(large));
    workers = await startWorkers(folder.path, Number(values.workers));
    const batches = new RedisBatchRegistry(await redis.connect(), new RedisKeys('nightmill'));
    const setting: Setting = { folder: folder.path, batches, workers };
    // The first batch finds cold workers and counts for nothing.
    await alone(setting, 'warm-up');
    const smalls = Array.from({ length: Number(values.smalls) }, (_, number) => `small-${number}`);
    const solos: number[] = [];
    const first: Round[] = [];
    const fair: Round[] = [];
    for (let round = 0; round < Number(values.rounds); round += 1) {
      for (const tenant of smalls) solos.push(await alone(setting, `solo-${round}-${tenant}`));
      first.push(await together(setting, `first-${round}`, 'one', ['one']));
      fair.push(await together(setting, `fair-${round}`, 'one', smalls));
    }
    print({ large, small }, solos, first, fair);
  } finally {
    for (const worker of workers) worker.kill('SIGKILL');
    simulator.process.kill('SIGKILL');
  }
}

interface Sizes {
  readonly large: number;
  readonly small: number;
}

function print(sizes: Sizes, solos: readonly number[], first: readonly Round[], fair: readonly Round[]): void {
  const solo = mean(solos);
  const [served, shared] = [smallOf(first), smallOf(fair)];
  const [rate, sharedRate] = [rateOf(sizes, first), rateOf(sizes, fair)];
  const row = (name: string, time: number, rounds: readonly Round[], documents: number) => [
    name,
    time.toFixed(1),
    (time / solo).toFixed(2),
    mean(rounds.map(({ total }) => total)).toFixed(1),
    documents.toFixed(1),
  ];
  const list = (times: readonly number[]) => times.map((time) => time.toFixed(1)).join(' ');
  printTable({
    caption: `A tenant's ${sizes.small.toLocaleString('en')} documents behind another's ${sizes.large.toLocaleString('en')}`,
    rows: [
      ['order', 'small s', 'times alone', 'all s', 'documents/s'],
      ['small alone', solo.toFixed(1), '1.00', '–', (sizes.small / solo).toFixed(1)],
      row('first come, first served', served, first, rate),
      row('fair shares', shared, fair, sharedRate),
    ],
    note:
      `small alone, s: ${list(solos)}; in fair shares: ${list(fair.flatMap(({ small }) => small))}; ` +
      `small: ${(shared / solo).toFixed(2)} times its time alone, aim: at most 1.2; ` +
      `throughput: ${(100 * (sharedRate / rate - 1)).toFixed(1)} % more than first come, first served, aim: at least -3`,
  });
}

function mean(figures: readonly number[]): number {
  return figures.reduce((sum, figure) => sum + figure, 0) / figures.length;
}

function smallOf(rounds: readonly Round[]): number {
  return mean(rounds.flatMap(({ small }) => small));
}

/** Documents a second until the last one is done. */
function rateOf({ large, small }: Sizes, rounds: readonly Round[]): number {
  const documents = rounds.reduce((sum, round) => sum + large + small * round.small.length, 0);
  return documents / rounds.reduce((sum, { total }) => sum + total, 0);
}

async function alone(setting: Setting, id: string): Promise<number> {
  await submit(setting, 'small.jsonl', id, 'two');
  const batch = await until(setting, id, ({ state }) => state === 'completed');
  return seconds(batch.createdAt, batch.finishedAt);
}

async function together(
  setting: Setting,
  id: string,
  largeTenant: string,
  smallTenants: readonly string[],
): Promise<Round> {
  const large = `${id}-large`;
  await submit(setting, 'large.jsonl', large, largeTenant);
  await until(setting, large, ({ slices, slicesCommitted }) => slicesCommitted >= slices * HEAD_START_SHARE);
  const small: BatchRecord[] = [];
  for (const [number, tenant] of smallTenants.entries()) {
    await submit(setting, 'small.jsonl', `${id}-small-${number}`, tenant);
    small.push(await until(setting, `${id}-small-${number}`, ({ state }) => state === 'completed'));
  }
  const one = await until(setting, large, ({ state }) => state === 'completed');
  if (small.some(({ createdAt }) => createdAt > (one.finishedAt ?? 0))) {
    throw new RangeError('The large batch ended before the last small one came: take a larger one or fewer small ones');
  }
  const ends = [one, ...small].map(({ finishedAt }) => finishedAt ?? Number.NaN);
  return {
    small: small.map(({ createdAt, finishedAt }) => seconds(createdAt, finishedAt)),
    total: seconds(one.createdAt, Math.max(...ends)),
  };
}

function seconds(from: number, to: number | undefined): number {
  return ((to ?? Number.NaN) - from) / 1_000;
}

async function submit({ folder }: Setting, file: string, id: string, tenant: string): Promise<void> {
  const finished = await runCli(folder, ['submit', file, '-w', 'triage', '--id', id, '--tenant', tenant]);
  if (finished.code !== 0) throw new Error(`submit ended with ${finished.code}:\n${finished.stderr}`);
}

async function until(setting: Setting, id: string, condition: (batch: BatchRecord) => boolean): Promise<BatchRecord> {
  for (;;) {
    const batch = await setting.batches.get(id);
    if (batch !== undefined && condition(batch)) return batch;
    for (const [index, worker] of setting.workers.entries()) throwIfEnded(setting.folder, index + 1, worker);
    await delay(POLL_MS);
  }
}

async function startSimulatorProcess(
  folder: string,
  { requestsPerMinute, tokensPerMinute }: { readonly requestsPerMinute: number; readonly tokensPerMinute: number },
): Promise<{ process: ChildProcess; url: string }> {
  const options = {
    tokenCounting: 'bytes/4',
    models: {
      [MODEL_ID]: {
        price: { inputPerMillion: '0.15', outputPerMillion: '0.60' },
        contextTokens: 32_768,
        latency: LATENCY,
        limits: { requestsPerMinute, tokensPerMinute },
      },
    },
  };
  await writeFile(`${folder}/simulator.json`, JSON.stringify(options));
  const child = spawn(process.execPath, [SIMULATOR, '--options', `${folder}/simulator.json`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { process: child, url: (JSON.parse(line.toString().split('\n')[0] ?? '{}') as { url: string }).url };
}
