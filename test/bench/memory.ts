import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { startTcpRedis } from '../helpers/tcp-redis.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';
import { machineLine } from './helpers/machine.ts';

export const summary =
  'peak memory of submit and of a worker, and Redis per queued document, 10,000 against 100,000 documents';

const MAIN = new URL('../../bin/nightmill.js', import.meta.url).pathname;
const SIMULATOR = new URL('../../workers/simulate.ts', import.meta.url).pathname;
const POLL_MS = 50;

interface Row {
  readonly documents: number;
  readonly submitMb: number;
  readonly workerMb: number;
  readonly redisBytes: number;
  readonly submitSeconds: number;
  readonly workerSeconds: number;
}

/** Real processes, a real Redis and a provider over HTTP that answers at once. Linux only: peaks come from /proc. */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { quick: { type: 'boolean' } } });
  const sizes = values.quick === true ? [1_000, 10_000] : [10_000, 100_000];
  console.log(`memory: ${machineLine()}`);
  const rows: Row[] = [];
  for (const documents of sizes) rows.push(await measure(documents));
  console.log('| documents | submit MB | worker MB | Redis bytes/document | submit s | worker s |');
  console.log('| ---: | ---: | ---: | ---: | ---: | ---: |');
  for (const row of rows) {
    console.log(
      `| ${row.documents.toLocaleString('en')} | ${row.submitMb} | ${row.workerMb} | ${row.redisBytes.toFixed(1)} | ${row.submitSeconds.toFixed(1)} | ${row.workerSeconds.toFixed(1)} |`,
    );
  }
  const [small, large] = rows;
  if (small === undefined || large === undefined) return;
  const ratio = (a: number, b: number) => (b / a).toFixed(2);
  console.log(
    `ten times the documents: submit ${ratio(small.submitMb, large.submitMb)} times, worker ${ratio(small.workerMb, large.workerMb)} times the memory`,
  );
}

async function measure(documents: number): Promise<Row> {
  await using folder = await makeTemporaryFolder('memory');
  await using redis = await startTcpRedis();
  const simulator = await startSimulatorProcess(folder.path);
  const client = new Redis(redis.url);
  try {
    await writeFile(`${folder.path}/nightmill.yaml`, configFor(redis.url, simulator.url));
    await writeDocuments(`${folder.path}/documents.jsonl`, documents);
    const emptyBytes = await usedMemory(client);
    const submit = start(['submit', 'documents.jsonl', '-w', 'triage', '--id', 'memory'], folder.path);
    const submitted = await peakUntil(submit, () => Promise.resolve(submit.exitCode !== null));
    const redisBytes = ((await usedMemory(client)) - emptyBytes) / documents;
    const worker = start(['worker', '--log-level', 'error'], folder.path);
    const worked = await peakUntil(
      worker,
      async () => (await client.hget('{nightmill}:batch:memory', 'state')) === 'completed',
    );
    worker.kill('SIGTERM');
    await once(worker, 'exit');
    return {
      documents,
      submitMb: submitted.peakMb,
      workerMb: worked.peakMb,
      redisBytes,
      submitSeconds: submitted.seconds,
      workerSeconds: worked.seconds,
    };
  } finally {
    client.disconnect();
    simulator.process.kill('SIGKILL');
  }
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

/** Resident memory at its highest, as the kernel kept it, read until the end. */
async function peakUntil(
  child: ChildProcess,
  ended: () => Promise<boolean>,
): Promise<{ peakMb: number; seconds: number }> {
  const startedAt = performance.now();
  let peakMb = 0;
  while (!(await ended())) {
    peakMb = Math.max(peakMb, highWaterMb(child.pid));
    await delay(POLL_MS);
  }
  return { peakMb: Math.max(peakMb, highWaterMb(child.pid)), seconds: (performance.now() - startedAt) / 1000 };
}

function highWaterMb(pid: number | undefined): number {
  try {
    const kilobytes = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0;
    return Math.round(Number(kilobytes) / 1000);
  } catch {
    // It has ended between two looks.
    return 0;
  }
}

async function usedMemory(client: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1] ?? 0);
}
