import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { TrafficSecond } from '../../src/simulator/traffic.ts';
import { startRedis, startSimulatorProcess } from '../chaos/processes.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';
import { startTask } from './helpers/child-task.ts';
import { chatBody, MODEL_ID, makeDocument, mixedBytes, tokensOf, writeDocuments } from './helpers/documents.ts';
import type { PacedCallsTask } from './helpers/paced-calls.ts';
import { printQuotaCurve } from './helpers/quota-curve.ts';
import { startWorkers, submitDocuments, throwIfEnded, writeConfig } from './helpers/system.ts';
import { printSetting, printTable } from './helpers/table.ts';
import { readTraffic, sumTraffic, waitForTraffic } from './helpers/traffic-window.ts';
import { printUnstatedQuota } from './helpers/unstated-quota.ts';

export const summary = "How much of a strict provider's quota is used, and how many calls it refuses";
/** Bottleneck's reservoir is filled once a minute, so no less than a minute is worth looking at. */
export const inAll = ['--minutes', '1', '--warm-up', '15', '--processes', '4', '--limits', '6000/3000000'];

const LATENCY = { p50Ms: 300, p95Ms: 900 };
/** Of the log-normal with that median and 95th percentile. */
const MEAN_LATENCY_MS = 375;
const MIN_BYTES = 500;
const MAX_BYTES = 6_000;
/** So small that eight processes with four slices each have work at the smaller limits too. */
const SLICE_DOCUMENTS = 16;
/** Of all processes together, however many they are: the rest is the same for every row. */
const SLICES_IN_HAND = 32;
const DOCUMENTS_IN_HAND = SLICES_IN_HAND * SLICE_DOCUMENTS;
/** Calls in flight in one process. */
const CONCURRENCY = 64;
const RIVAL_PROCESSES = 4;

/** In virtual time, without processes. */
const VIRTUAL_CASES: readonly string[] = ['table', 'curve'];
const CASES = ['table', 'curve', 'unstated', 'system', 'kill', 'bottleneck', 'loop'] as const;
/** What a provider of the case `unstated` tells: nothing but its 429. */
const UNTOLD = { headers: 'none', waits: 'none' } as const;

interface Limits {
  readonly requestsPerMinute: number;
  readonly tokensPerMinute: number;
}

interface Setting {
  readonly limits: Limits;
  readonly warmUpSeconds: number;
  readonly windowSeconds: number;
  readonly documents: number;
  /** Tokens of one document's call, as the provider reserves them. */
  readonly meanTokens: number;
}

/** Clients that run until they are ended. */
interface Clients {
  readonly name: string;
  readonly processes: readonly ChildProcess[];
  /** Whom to kill in the middle of the window. */
  readonly victim?: ChildProcess | undefined;
  /** @throws when one of them has ended that should not have */
  check(): void;
}

interface Scene {
  readonly folder: string;
  readonly providerUrl: string;
  readonly redisSocket: string;
}

interface StartClients {
  (scene: Scene, setting: Setting): Promise<Clients>;
  /** The provider tells nothing of its limits. */
  readonly isUntold?: boolean;
}

interface Observed {
  readonly name: string;
  readonly series: readonly TrafficSecond[];
  /** Seconds since the epoch: the window, and the second in which a worker was killed or would have been. */
  readonly from: number;
  readonly middle: number;
  readonly to: number;
}

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '2' },
      'warm-up': { type: 'string', default: '20' },
      processes: { type: 'string', default: '1,4,8' },
      limits: { type: 'string', default: '600/200000,6000/3000000' },
      cases: { type: 'string', default: CASES.join(',') },
      svg: { type: 'string' },
      quick: { type: 'boolean', default: false },
    },
  });
  const windowSeconds = values.quick ? 12 : Math.max(2, Math.round(Number(values.minutes) * 60));
  const warmUpSeconds = values.quick ? 5 : Number(values['warm-up']);
  const processes = values.processes.split(',').map(Number);
  const cases = new Set(values.cases.split(','));
  const unknown = [...cases].filter((name) => !CASES.some((known) => known === name));
  if (unknown.length > 0) throw new Error(`There is no case ${unknown.join(', ')}; known: ${CASES.join(', ')}`);
  printSetting(
    `Quota: a provider with continuous token buckets of one second of burst, latency p50 ${LATENCY.p50Ms} ms and p95 ${LATENCY.p95Ms} ms, tokens
counted as bytes/4; documents of ${MIN_BYTES} to ${MAX_BYTES.toLocaleString('en')} bytes to classify. Counted by the provider over ${windowSeconds} s after ${warmUpSeconds} s of warm-up.`,
  );
  if (cases.has('table')) await printUnstatedQuota(processes);
  if (cases.has('curve')) await printQuotaCurve(processes, values.svg);
  if ([...cases].every((name) => VIRTUAL_CASES.includes(name))) return;
  for (const pair of values.limits.split(',')) {
    const [requestsPerMinute = Number.NaN, tokensPerMinute = Number.NaN] = pair.split('/').map(Number);
    const limits = { requestsPerMinute, tokensPerMinute };
    await compare(makeSetting(limits, warmUpSeconds, windowSeconds), startsOf(cases, processes));
  }
}

function startsOf(cases: ReadonlySet<string>, processes: readonly number[]): readonly StartClients[] {
  return [
    ...(cases.has('unstated') ? [systemOf(RIVAL_PROCESSES, { isUntold: true })] : []),
    ...(cases.has('system') ? processes.map((count) => systemOf(count)) : []),
    ...(cases.has('kill') ? [systemOf(RIVAL_PROCESSES, { isKilled: true })] : []),
    ...(cases.has('bottleneck') ? [startBottleneck] : []),
    ...(cases.has('loop') ? [startLoop] : []),
  ];
}

/** As many documents as the limits let through in time, half as much again, and what the workers hold in hand. */
function makeSetting(limits: Limits, warmUpSeconds: number, windowSeconds: number): Setting {
  const samples = Array.from({ length: 500 }, (_, number) => tokensOf(chatBody(document(number).text)));
  const meanTokens = samples.reduce((sum, tokens) => sum + tokens, 0) / samples.length;
  const perSecond = Math.min(limits.tokensPerMinute / meanTokens, limits.requestsPerMinute) / 60;
  const documents = Math.ceil(perSecond * (warmUpSeconds + windowSeconds) * 1.5) + 2 * DOCUMENTS_IN_HAND;
  return { limits, warmUpSeconds, windowSeconds, documents, meanTokens };
}

function document(number: number) {
  return makeDocument(number, mixedBytes(number, MIN_BYTES, MAX_BYTES));
}

async function compare(setting: Setting, starts: readonly StartClients[]): Promise<void> {
  const { requestsPerMinute, tokensPerMinute } = setting.limits;
  const callsPerMinute = tokensPerMinute / setting.meanTokens;
  const binding = callsPerMinute < requestsPerMinute ? 'tokens' : 'requests';
  const rows: (readonly string[])[] = [
    [
      'client',
      'tokens used %',
      'requests used %',
      'refused %',
      'calls/s',
      'tokens/s',
      'refused/s',
      'second half lost s',
    ],
  ];
  for (const start of starts) rows.push(rowOf(await observe(start, setting), setting.limits));
  printTable({
    caption: `${requestsPerMinute.toLocaleString('en')} requests and ${tokensPerMinute.toLocaleString('en')} tokens per minute; a call takes ${setting.meanTokens.toFixed(0)} tokens in the mean, so the ${binding} bind
(the tokens allow ${callsPerMinute.toFixed(0)} calls per minute)`,
    rows,
    note: `second half lost: tokens that the second half of the window used less than the first, in seconds of quota; that is what
the kill in the middle cost, and without a kill how exact the figure is`,
  });
}

function rowOf({ name, series, from, middle, to }: Observed, limits: Limits): readonly string[] {
  const { seconds, admitted, refused, tokens } = sumTraffic(series, from, to);
  const firstHalf = sumTraffic(series, from, middle);
  const secondHalf = sumTraffic(series, middle, to);
  const expected = (firstHalf.tokens / firstHalf.seconds) * secondHalf.seconds;
  const tokensPerSecond = limits.tokensPerMinute / 60;
  const percent = (share: number, digits: number) => (share * 100).toFixed(digits);
  return [
    name,
    percent(tokens / seconds / tokensPerSecond, 2),
    percent((admitted / seconds / limits.requestsPerMinute) * 60, 2),
    percent(refused / Math.max(1, admitted + refused), 3),
    (admitted / seconds).toFixed(1),
    Math.round(tokens / seconds).toLocaleString('en'),
    (refused / seconds).toFixed(1),
    ((expected - secondHalf.tokens) / tokensPerSecond).toFixed(2),
  ];
}

/** Everything again: provider, Redis, documents, clients. */
async function observe(start: StartClients, setting: Setting): Promise<Observed> {
  await using temporary = await makeTemporaryFolder('quota');
  const folder = temporary.path;
  const documents = Array.from({ length: setting.documents }, (_, number) => document(number));
  await writeDocuments(`${folder}/documents.jsonl`, documents);
  await using simulator = await startSimulatorProcess(folder, {
    tokenCounting: 'bytes/4',
    models: {
      [MODEL_ID]: {
        price: { inputPerMillion: 0.15, outputPerMillion: 0.6 },
        contextTokens: 32_768,
        latency: LATENCY,
        limits: setting.limits,
        ...(start.isUntold === true ? { manners: UNTOLD } : {}),
      },
    },
  });
  await using redis = await startRedis(folder);
  const clients = await start({ folder, providerUrl: simulator.url, redisSocket: redis.socket }, setting);
  try {
    await waitForTraffic(simulator.url);
    await delay(setting.warmUpSeconds * 1_000);
    const from = Math.ceil(Date.now() / 1_000);
    const to = from + setting.windowSeconds;
    const middle = from + Math.floor(setting.windowSeconds / 2);
    await until(middle);
    clients.check();
    clients.victim?.kill('SIGKILL');
    await until(to);
    clients.check();
    // The reply of a call in the last second may be counted a little later.
    await delay(100);
    const series = await readTraffic(simulator.url);
    const admitted = sumTraffic(series, 0, to).admitted;
    if (admitted > setting.documents - DOCUMENTS_IN_HAND) {
      throw new Error(`${clients.name} ran out of documents: ${admitted} calls for ${setting.documents} of them`);
    }
    return { name: clients.name, series, from, middle, to };
  } finally {
    await Promise.all(clients.processes.map(endProcess));
  }
}

async function until(second: number): Promise<void> {
  await delay(Math.max(0, second * 1_000 - Date.now()));
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** Workers that know the provider's limits from their config, or know nothing of them. */
function systemOf(count: number, { isKilled = false, isUntold = false } = {}): StartClients {
  const start: StartClients = async ({ folder, providerUrl, redisSocket }, { limits }) => {
    await writeConfig(folder, {
      redisSocket,
      providerUrl,
      limits: { ...(isUntold ? {} : limits), concurrency: CONCURRENCY },
      sliceDocuments: SLICE_DOCUMENTS,
      slices: SLICES_IN_HAND / count,
    });
    await submitDocuments(folder);
    const processes = await startWorkers(folder, count);
    const victim = isKilled ? processes.at(-1) : undefined;
    return {
      name: `nightmill, ${count} ${count === 1 ? 'worker' : 'workers'}${isKilled ? ', one killed' : ''}${isUntold ? ', limits not told' : ''}`,
      processes,
      victim,
      check: () => {
        for (const [index, worker] of processes.entries()) {
          if (worker !== victim) throwIfEnded(folder, index + 1, worker);
        }
      },
    };
  };
  return Object.assign(start, { isUntold });
}

async function startBottleneck(scene: Scene, { limits }: Setting): Promise<Clients> {
  const tasks = Array.from({ length: RIVAL_PROCESSES }, (_, process) => ({
    ...taskOf(scene, limits),
    pace: 'bottleneck' as const,
    process,
    processes: RIVAL_PROCESSES,
  }));
  return await startScripts(`Bottleneck clustering, ${RIVAL_PROCESSES} processes`, tasks);
}

/** As many calls at the same time as arrive, at the limit, while one of them lasts. */
async function startLoop(scene: Scene, { limits, meanTokens }: Setting): Promise<Clients> {
  const perSecond = Math.min(limits.tokensPerMinute / meanTokens, limits.requestsPerMinute) / 60;
  const inFlight = Math.max(1, Math.round((perSecond * MEAN_LATENCY_MS) / 1_000));
  const task = { ...taskOf(scene, limits), pace: 'loop' as const, process: 0, processes: 1, inFlight };
  return await startScripts(`${inFlight} calls at once, 429 waits`, [task]);
}

function taskOf({ folder, providerUrl, redisSocket }: Scene, limits: Limits) {
  return { url: providerUrl, file: `${folder}/documents.jsonl`, inFlight: CONCURRENCY, redisSocket, ...limits };
}

async function startScripts(name: string, tasks: readonly PacedCallsTask[]): Promise<Clients> {
  const processes = await Promise.all(tasks.map(async (task) => await startTask('paced-calls.ts', task)));
  for (const child of processes) child.send('go');
  return {
    name,
    processes,
    check: () => {
      const ended = processes.find((child) => child.exitCode !== null || child.signalCode !== null);
      if (ended !== undefined) throw new Error(`A process of ${name} ended with ${ended.exitCode ?? ended.signalCode}`);
    },
  };
}
