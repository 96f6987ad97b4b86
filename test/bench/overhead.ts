import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startRedis } from '../chaos/processes.ts';
import type { TemporaryFolder } from '../helpers/temporary-folder.ts';
import { makeApartFolder } from './helpers/apart-folder.ts';
import type { CallLoopResult, CallLoopTask } from './helpers/call-loop.ts';
import type { ScriptClient } from './helpers/callers.ts';
import { nextMessage, startTask } from './helpers/child-task.ts';
import { type Client, costTable, type Measured, NAMES, type Outcome } from './helpers/cost-table.ts';
import { makeDocument, writeDocuments } from './helpers/documents.ts';
import { installPeers } from './helpers/install-peers.ts';
import { cpuMsOf, peakMbOf } from './helpers/process-cpu.ts';
import { startInstantProvider } from './helpers/start-instant-provider.ts';
import { startWorkers, submitDocuments, throwIfEnded, waitUntilCompleted, writeConfig } from './helpers/system.ts';
import { printSetting, printTable } from './helpers/table.ts';

export const summary = 'What the whole system costs a document, and adds to a call, beside bare scripts';
export const inAll = ['--documents', '4000', '--rounds', '2'];

const DOCUMENT_BYTES = 1_000;
/** Limits that are checked on every call and never bind. */
const BOUNDLESS = { requestsPerMinute: 100_000_000, tokensPerMinute: 100_000_000_000 };
const POLL_MS = 10;
/** V8 compiles a worker's functions until it has answered some 40,000 documents, once for each process: by then most of it is over. */
const MAX_WARM_UP = 20_000;
const WARM_UP_WITHIN_MS = 300_000;

export interface Load {
  readonly documents: number;
  /** Not measured; they come first. */
  readonly warmUp: number;
  readonly inFlight: number;
  readonly latencyMs: number;
}

/** Removed when all is measured, so that nothing is removed meanwhile. */
const folders: TemporaryFolder[] = [];

/** Those that are compared with each other side by side: the machine is slower in one minute than in another. */
const CLIENTS = ['sdk', 'system', 'systemEverysec', 'undici', 'bullmq', 'langchain', 'bottleneck'] as const;

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      documents: { type: 'string', default: '50000' },
      concurrency: { type: 'string', default: '64' },
      rounds: { type: 'string', default: '3' },
      quick: { type: 'boolean', default: false },
    },
  });
  const documents = values.quick ? 2_000 : Number(values.documents);
  const warmUp = Math.min(documents, MAX_WARM_UP);
  const inFlight = Number(values.concurrency);
  const rounds = values.quick ? 1 : Number(values.rounds);
  printSetting(
    `Overhead: ${documents.toLocaleString('en')} documents of ${DOCUMENT_BYTES.toLocaleString('en')} bytes to classify after ${warmUp.toLocaleString('en')} not measured, rounds: ${rounds}; the same
prompts and a provider process that answers at once, ${inFlight} calls in flight. nightmill worker: one process on a submitted
batch, file store, day budget and quota on. Linux only.`,
  );
  try {
    await compareCost({ documents, warmUp, inFlight, latencyMs: 0 }, rounds);
    await compareLatency({
      documents: Math.min(Math.ceil(documents / 20), 1_000),
      warmUp: 200,
      inFlight: 4,
      latencyMs: 50,
    });
  } finally {
    await removeFolders();
  }
}

/** The clients take turns. */
async function compareCost(load: Load, rounds: number): Promise<void> {
  const peers = installPeers();
  // It makes a few trips to Redis for each call, one call's after the other's.
  const fewer = { ...load, documents: Math.ceil(load.documents / 5), warmUp: Math.ceil(load.warmUp / 5) };
  const turns = new Map<Client, Measured[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const client of CLIENTS) {
      if (client === 'langchain' && peers.status === 'not_installed') continue;
      turns.set(client, [...(turns.get(client) ?? []), await measure(client, client === 'bottleneck' ? fewer : load)]);
    }
  }
  const outcomes = CLIENTS.map((client): readonly [Client, Outcome] => {
    const measured = turns.get(client);
    if (measured !== undefined) return [client, { rounds: measured }];
    return [client, { notMeasured: peers.status === 'not_installed' ? peers.reason : 'no round' }];
  });
  printTable(costTable(outcomes, [`${NAMES.bottleneck}: a fifth of the documents, since it takes so long`]));
}

async function compareLatency(load: Load): Promise<void> {
  const rows = [['client', 'empty p50 ms', 'empty p95 ms', 'added p50 ms', 'added p95 ms']];
  let bare: Measured | undefined;
  for (const client of ['undici', 'sdk', 'system'] as const) {
    const measured = await measure(client, load);
    bare ??= measured;
    const [middle, high] = [0.5, 0.95].map((share) => quantile(measured.gapsMs, share));
    const [bareMiddle, bareHigh] = [0.5, 0.95].map((share) => quantile(bare?.gapsMs ?? [], share));
    rows.push([
      NAMES[client],
      ...[middle, high].map((ms) => (ms ?? Number.NaN).toFixed(2)),
      ...[(middle ?? 0) - (bareMiddle ?? 0), (high ?? 0) - (bareHigh ?? 0)].map((ms) => ms.toFixed(2)),
    ]);
  }
  printTable({
    caption: `Added latency: a provider that takes ${load.latencyMs} ms, ${load.inFlight} calls in flight, ${load.documents} documents`,
    rows,
    note: `empty: how long a place at the provider stands empty between a reply and the next request, with all that the client does for
both calls; added: more than with the undici loop; aim: at most 1.5 ms added at p50 and 4 ms at p95`,
  });
}

/** @param share 0 to 1 */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** What {@link measure} has left behind. */
export async function removeFolders(): Promise<void> {
  await Promise.all(folders.splice(0).map((folder) => folder[Symbol.asyncDispose]()));
}

/** @param program of the worker; default: this tree's */
export async function measure(client: Client, load: Load, program?: string): Promise<Measured> {
  const folder = await makeApartFolder('overhead');
  folders.push(folder);
  const documents = Array.from({ length: load.warmUp + load.documents }, (_, index) =>
    makeDocument(index, DOCUMENT_BYTES),
  );
  await writeDocuments(`${folder.path}/documents.jsonl`, documents);
  if (client === 'system') return await measureSystem(folder.path, load, 'always', program);
  if (client === 'systemEverysec') return await measureSystem(folder.path, load, 'everysec', program);
  return await measureScript(client, folder.path, load);
}

async function measureScript(client: ScriptClient, folder: string, load: Load): Promise<Measured> {
  await using provider = await startInstantProvider(load.latencyMs);
  await using redis = client === 'bullmq' || client === 'bottleneck' ? await startRedis(folder) : undefined;
  const task: CallLoopTask = {
    client,
    ...(redis === undefined ? {} : { redisSocket: redis.socket }),
    url: provider.url,
    file: `${folder}/documents.jsonl`,
    warmUp: load.warmUp,
    inFlight: load.inFlight,
  };
  const child = await startTask('call-loop.ts', task);
  const before = await provider.counts();
  const providerCpuMs = provider.cpuMs();
  const redisBefore = redis === undefined ? undefined : cpuMsOf(redis.process.pid);
  child.send('go');
  const result = await nextMessage<CallLoopResult>(child);
  const after = await provider.counts();
  return {
    ...result,
    ...(redis === undefined || redisBefore === undefined
      ? {}
      : { redis: { cpuMs: cpuMsOf(redis.process.pid) - redisBefore, appendfsync: 'always' } }),
    providerCpuMs: provider.cpuMs() - providerCpuMs,
    requestBytes: after.bodyBytes / after.requests,
    gapsMs: after.gapsMs.slice(before.gapsMs.length),
  };
}

/** From the first document after the warm-up to the manifest: slices, commits, merging the parts. */
async function measureSystem(
  folder: string,
  load: Load,
  appendfsync: 'always' | 'everysec',
  program: string | undefined,
): Promise<Measured> {
  await using provider = await startInstantProvider(load.latencyMs);
  await using redis = await startRedis(folder, { appendfsync });
  await writeConfig(folder, {
    redisSocket: redis.socket,
    providerUrl: provider.url,
    limits: { ...BOUNDLESS, concurrency: load.inFlight },
  });
  await submitDocuments(folder);
  const [worker] = await startWorkers(folder, 1, program);
  if (worker === undefined) throw new Error('There is no worker');
  try {
    let before = await provider.counts();
    for (const deadline = performance.now() + WARM_UP_WITHIN_MS; before.requests < load.warmUp; ) {
      throwIfEnded(folder, 1, worker);
      if (performance.now() > deadline)
        throw new Error(`The worker made ${before.requests} calls in ${WARM_UP_WITHIN_MS / 1_000} s`);
      await delay(POLL_MS);
      before = await provider.counts();
    }
    const cpu = () => [worker.pid, redis.process.pid].map(cpuMsOf);
    const startedAt = performance.now();
    const [workerBefore = 0, redisBefore = 0] = cpu();
    const providerBefore = provider.cpuMs();
    await waitUntilCompleted(folder, redis.socket, worker);
    const [workerAfter = 0, redisAfter = 0] = cpu();
    const wallMs = performance.now() - startedAt;
    const providerAfter = provider.cpuMs();
    const after = await provider.counts();
    return {
      calls: after.requests - before.requests,
      wallMs,
      cpuMs: workerAfter - workerBefore,
      redis: { cpuMs: redisAfter - redisBefore, appendfsync },
      providerCpuMs: providerAfter - providerBefore,
      peakMb: peakMbOf(worker.pid),
      requestBytes: after.bodyBytes / after.requests,
      gapsMs: after.gapsMs.slice(before.gapsMs.length),
    };
  } finally {
    const exited = once(worker, 'exit');
    if (worker.exitCode === null && worker.signalCode === null) {
      worker.kill('SIGKILL');
      await exited;
    }
  }
}
