import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { startTcpRedis } from '../helpers/tcp-redis.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';
import { cpuMsOf, peakMbOf } from './helpers/process-cpu.ts';
import { printSetting, printTable, type Table } from './helpers/table.ts';

export const summary =
  'Time, CPU and peak memory of submit, a worker and results, and of Redis, a batch against one of ten times its size';
export const inAll = ['--documents', '5000,50000'];

const MAIN = new URL('../../bin/nightmill.js', import.meta.url).pathname;
const SIMULATOR = new URL('../../workers/simulate.ts', import.meta.url).pathname;
const POLL_MS = 50;
const BATCH = 'memory';
/** Documents of a batch that comes first and is not shown. */
const WARM_UP = 1_000;
/** MB at the peak, and how many times that from the fewest documents to the most. */
const AIMS = { process: 250, growth: 1.1, results: 170 };

/** What a process took from its start to its end, or until it was ended. */
interface Taken {
  readonly peakMb: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

interface Row {
  readonly documents: number;
  readonly submit: Taken;
  readonly worker: Taken;
  /** In each format. None where the worker was ended before the batch. */
  readonly results: readonly (Taken & { readonly format: string })[];
  readonly redis: { readonly bytesQueued: number; readonly peakMb: number; readonly cpuSeconds: number };
}

/** Real processes, a real Redis and a provider over HTTP that answers at once. Linux only: peaks come from /proc. */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean' },
      documents: { type: 'string', default: '10000,100000' },
      share: { type: 'string', default: '1' },
      format: { type: 'string', default: 'jsonl' },
    },
  });
  const sizes = values.quick === true ? [1_000, 10_000] : values.documents.split(',').map(Number);
  const share = Number(values.share);
  printSetting(
    `Memory: one worker, 4 slices and 64 calls in flight${share < 1 ? `, ended when ${share * 100} % of the documents were done` : ''}; results as ${values.format}, each format by a process of its own. Linux only.`,
  );
  const formats = values.format.split(',');
  // The first start of a clone strips types and compiles, which takes 20 MB; Node's cache has it from then on.
  await measure(WARM_UP, 1, formats);
  const rows: Row[] = [];
  for (const documents of sizes) rows.push(await measure(documents, share, formats));
  printTable(memoryTable(rows, formats));
}

function memoryTable(measured: readonly Row[], formats: readonly string[]): Table {
  const parts = ['submit', 'worker', ...formats];
  const heads = [
    'documents',
    ...parts.flatMap((part) => [`${part} s`, `${part} CPU s`, `${part} MB`]),
    ...['Redis CPU s', 'Redis MB, most', 'Redis bytes a queued document'],
  ];
  const rows = measured.map(({ documents, submit, worker, results, redis }) => [
    documents.toLocaleString('en'),
    ...[submit, worker, ...formats.map((format) => results.find((taken) => taken.format === format))].flatMap(
      takenCells,
    ),
    ...[redis.cpuSeconds, redis.peakMb, redis.bytesQueued].map((value) => value.toFixed(1)),
  ]);
  const notes = verdicts(measured);
  return {
    caption: 'What batches take; results by format',
    rows: [heads, ...rows],
    ...(notes.length === 0 ? {} : { note: notes.join('; ') }),
  };
}

/** The largest batch beside the aims, and beside the smallest. */
function verdicts(measured: readonly Row[]): readonly string[] {
  const [small, large] = [measured[0], measured.at(-1)];
  if (small === undefined || large === undefined) return [];
  const results = large.results.map(
    ({ format, peakMb }) =>
      `results as ${format}: ${peakMb} MB${metText(peakMb < AIMS.results)}, aim: under ${AIMS.results}`,
  );
  if (small === large) return results;
  const growths = (['submit', 'worker'] as const).map((part) => {
    const growth = large[part].peakMb / small[part].peakMb;
    const met = large[part].peakMb < AIMS.process && growth <= AIMS.growth;
    return `${large.documents / small.documents} times the documents, ${part}: ${large[part].peakMb} MB, ${growth.toFixed(2)} times the memory${metText(met)}, aim: under ${AIMS.process}, ${AIMS.growth} times at most`;
  });
  return [...results, ...growths];
}

const metText = (met: boolean): string => (met ? '' : ' (MISSED)');

function takenCells(taken: Taken | undefined): readonly string[] {
  if (taken === undefined) return ['–', '–', '–'];
  return [taken.seconds.toFixed(1), taken.cpuSeconds.toFixed(1), String(taken.peakMb)];
}

async function measure(documents: number, share: number, formats: readonly string[]): Promise<Row> {
  await using folder = await makeTemporaryFolder('memory');
  await using redis = await startTcpRedis();
  const simulator = await startSimulatorProcess(folder.path);
  const client = new Redis(redis.url);
  try {
    await writeFile(`${folder.path}/nightmill.yaml`, configFor(redis.url, simulator.url));
    await writeDocuments(`${folder.path}/documents.jsonl`, documents);
    const emptyBytes = (await memoryOf(client)).used;
    const cpuBefore = await cpuSecondsOf(client);
    const submit = await untilExit(start(['submit', 'documents.jsonl', '-w', 'triage', '--id', BATCH], folder.path));
    const bytesQueued = ((await memoryOf(client)).used - emptyBytes) / documents;
    const working = start(['worker', '--log-level', 'error'], folder.path);
    const worker = await takenUntil(working, () => isDone(client, share));
    working.kill('SIGTERM');
    await once(working, 'exit');
    const results: (Taken & { format: string })[] = [];
    for (const format of share < 1 ? [] : formats) {
      const taken = await untilExit(start(['results', BATCH, '-o', format, '--format', format], folder.path));
      results.push({ format, ...taken });
    }
    const peakMb = ((await memoryOf(client)).peak - emptyBytes) / 1e6;
    const cpuSeconds = (await cpuSecondsOf(client)) - cpuBefore;
    return {
      documents,
      submit,
      worker,
      results,
      redis: { bytesQueued, peakMb, cpuSeconds },
    };
  } finally {
    client.disconnect();
    simulator.process.kill('SIGKILL');
  }
}

/** Whether the batch has ended, or such a share of its slices. */
async function isDone(client: Redis, share: number): Promise<boolean> {
  const told = await client.hmget(`{nightmill}:batch:${BATCH}`, 'state', 'slices', 'slicesCommitted');
  const [state, slices, committed] = told;
  return state === 'completed' || (share < 1 && Number(committed) >= Number(slices) * share);
}

async function untilExit(child: ChildProcess): Promise<Taken> {
  const taken = await takenUntil(child, async () => child.exitCode !== null || child.signalCode !== null);
  if (child.exitCode !== 0) throw new Error(`A command ended with ${child.exitCode ?? child.signalCode}`);
  return taken;
}

function configFor(redisUrl: string, providerUrl: string): string {
  return `redis: ${redisUrl}
providers: { acme: { kind: openai, baseUrl: "${providerUrl}", limits: { concurrency: 64 } } }
models: { small: { provider: acme, id: small-2026-01-01, price: { inputPerMillion: 0.15, outputPerMillion: 0.60 } } }
workflows:
  triage:
    task: classify
    labels: { billing: "Questions about invoices", bug: "Something is broken", other: "Anything else" }
    cascade: [{ model: small }]
    budget: { batch: 1000 }
`;
}

async function writeDocuments(path: string, documents: number): Promise<void> {
  const topics = ['my invoice shows a wrong amount', 'the app crashes when I save', 'how is the weather'];
  await using file = await open(path, 'w');
  for (let from = 0; from < documents; from += 1_000) {
    const lines = Array.from({ length: 1_000 }, (_, index) => {
      const number = from + index;
      return JSON.stringify({
        id: `doc-${number}`,
        text: `Customer ${number} writes: ${topics[number % 3]}, please reply.`,
      });
    });
    await file.write(`${lines.join('\n')}\n`);
  }
}

async function startSimulatorProcess(folder: string): Promise<{ process: ChildProcess; url: string }> {
  const options = {
    tokenCounting: 'bytes/4',
    models: {
      'small-2026-01-01': {
        price: { inputPerMillion: '0.15', outputPerMillion: '0.60' },
        contextTokens: 32_768,
        latency: { p50Ms: 0, p95Ms: 0 },
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

function start(args: readonly string[], folder: string): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** As the kernel has kept them, read until the end. */
async function takenUntil(child: ChildProcess, ended: () => Promise<boolean>): Promise<Taken> {
  const startedAt = performance.now();
  let peakMb = 0;
  let cpuSeconds = 0;
  const look = () => {
    try {
      peakMb = Math.max(peakMb, Math.round(peakMbOf(child.pid)));
      cpuSeconds = Math.max(cpuSeconds, cpuMsOf(child.pid) / 1000);
    } catch {
      // It has ended between two looks.
    }
  };
  while (!(await ended())) {
    look();
    await delay(POLL_MS);
  }
  look();
  return { peakMb, cpuSeconds, seconds: (performance.now() - startedAt) / 1000 };
}

async function memoryOf(client: Redis): Promise<{ readonly used: number; readonly peak: number }> {
  const told = await client.info('memory');
  const bytes = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(told)?.[1] ?? 0);
  return { used: bytes('used_memory'), peak: bytes('used_memory_peak') };
}

async function cpuSecondsOf(client: Redis): Promise<number> {
  const told = await client.info('cpu');
  const seconds = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(told)?.[1] ?? 0);
  return seconds('used_cpu_sys') + seconds('used_cpu_user');
}
