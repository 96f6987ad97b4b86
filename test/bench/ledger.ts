import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Redis } from 'ioredis';
import { startRedisServer } from '../helpers/redis-server.ts';
import type { ClientResult, ClientTask } from './helpers/ledger-client.ts';
import { printSetting, printTable } from './helpers/table.ts';

export const summary = 'Admissions and settlements per second on one Redis, and what they cost a worker';
export const inAll = ['--calls', '20000'];

const CLIENT = fileURLToPath(new URL('helpers/ledger-client.ts', import.meta.url));
const IN_FLIGHT = 64;
const REPLY_BYTES = 300;

/** One worker process has one connection. More than eight processes on few cores measure the scheduler. */
const CLIENTS = [
  { processes: 1, connections: 1 },
  { processes: 8, connections: 1 },
  { processes: 8, connections: 4 },
] as const;

const SERVERS: readonly (readonly [name: string, settings: readonly string[]])[] = [
  ['no append-only file', []],
  ['appendfsync everysec', ['--appendonly', 'yes', '--appendfsync', 'everysec']],
  ['appendfsync always', ['--appendonly', 'yes', '--appendfsync', 'always']],
];

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { calls: { type: 'string', default: '60000' }, quick: { type: 'boolean', default: false } },
  });
  const calls = Number(values.calls);
  printSetting(
    `Ledger: one call = one admission and one settlement in five scopes (batch, workflow day and month, global day and month), a
${REPLY_BYTES}-byte reply into the journal, ${IN_FLIGHT} calls in flight on each connection; ${calls.toLocaleString('en')} calls a row. The server shares the processors.`,
  );
  const rows: string[][] = [
    ['Redis', 'clients', 'calls/s', 'bare/s', 'calls/bare', 'CPU ms/call', 'bare CPU', 'CPU/bare', 'Redis CPU'],
  ];
  for (const [name, settings] of SERVERS) {
    for (const clients of values.quick ? CLIENTS.slice(0, 1) : CLIENTS) {
      const ledger = await measure(settings, { ...clients, mode: 'ledger', calls });
      const bare = await measure(settings, { ...clients, mode: 'bare', calls });
      rows.push([
        name,
        describe(clients),
        Math.round(ledger.perSecond).toLocaleString('en'),
        Math.round(bare.perSecond).toLocaleString('en'),
        (ledger.perSecond / bare.perSecond).toFixed(2),
        ledger.cpuMs.toFixed(4),
        bare.cpuMs.toFixed(4),
        (ledger.cpuMs / bare.cpuMs).toFixed(2),
        ledger.redisCpuMs.toFixed(4),
      ]);
    }
  }
  printTable({
    caption: 'Admissions and settlements on one Redis',
    rows,
    note: `bare: two EVALSHA a call that return 1, with as many keys and arguments as a turn of one, over the same connections; Redis
CPU: the server's own, in ms a call`,
  });
}

function describe({ processes, connections }: { processes: number; connections: number }): string {
  const each = connections === 1 ? '' : ` x ${connections} connections`;
  return `${processes} ${processes === 1 ? 'process' : 'processes'}${each}`;
}

interface Load {
  readonly processes: number;
  readonly connections: number;
  readonly mode: ClientTask['mode'];
  /** Of all clients together. */
  readonly calls: number;
}

interface Measured {
  readonly perSecond: number;
  /** Of all clients together, a call. */
  readonly cpuMs: number;
  readonly redisCpuMs: number;
}

async function measure(settings: readonly string[], load: Load): Promise<Measured> {
  await using server = await startRedisServer(settings);
  const { processes, connections, mode } = load;
  const task: ClientTask = {
    url: server.url,
    mode,
    connections,
    inFlight: IN_FLIGHT,
    calls: Math.ceil(load.calls / processes / connections),
    replyBytes: REPLY_BYTES,
  };
  const clients = await Promise.all(Array.from({ length: processes }, async () => await startClient(task)));
  const redis = await server.connect();
  const redisBefore = await redisCpuMs(redis);
  const startedAt = performance.now();
  const results = await Promise.all(
    clients.map(async (client): Promise<ClientResult> => {
      client.send('go');
      return await nextMessage(client);
    }),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  const calls = results.reduce((sum, result) => sum + result.calls, 0);
  const cpuMs = results.reduce((sum, result) => sum + result.cpuMs, 0);
  return {
    perSecond: calls / seconds,
    cpuMs: cpuMs / calls,
    redisCpuMs: ((await redisCpuMs(redis)) - redisBefore) / calls,
  };
}

/** Of the server's process since its start. */
async function redisCpuMs(redis: Redis): Promise<number> {
  const info = await redis.info('cpu');
  const seconds = [...info.matchAll(/^used_cpu_(?:sys|user):([\d.]+)/gm)].map(([, value]) => Number(value));
  return seconds.reduce((sum, value) => sum + value * 1_000, 0);
}

/** Connected and warmed up. */
async function startClient(task: ClientTask): Promise<ChildProcess> {
  const client = fork(CLIENT);
  await nextMessage(client);
  client.send(task);
  await nextMessage(client);
  return client;
}

async function nextMessage<T>(client: ChildProcess): Promise<T> {
  const answered = new AbortController();
  const died = once(client, 'exit', { signal: answered.signal }).then(([code]) => {
    throw new Error(`A client of the benchmark ended with code ${code}`);
  });
  died.catch(() => {});
  try {
    const [message] = await Promise.race([once(client, 'message'), died]);
    return message as T;
  } finally {
    answered.abort();
  }
}
