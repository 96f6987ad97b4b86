import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findRedisServer, redisSearchFolders } from '../../src/adapters/embedded-redis/find-redis-server.ts';
import { programFiles } from '../helpers/program.ts';

/** Shared by all runs on this machine: a worker that is killed every second should not compile itself every second. */
export const COMPILE_CACHE = join(tmpdir(), 'nm-chaos-compile-cache');

const children = new Set<ChildProcess>();

/** Whoever interrupts a run leaves nothing behind. */
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

function track<T extends ChildProcess>(child: T): T {
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

export interface ServerProcess extends AsyncDisposable {
  readonly process: ChildProcess;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

export type RedisProcess = ServerProcess & { readonly socket: string; readonly aofFolder: string };

/** Whether this machine has a Redis server to run the scenarios on. */
export function hasRedisServer(): boolean {
  return findRedisServer(redisSearchFolders(process.env.PATH)).status === 'found';
}

export interface RedisOptions {
  readonly appendfsync?: 'always' | 'everysec';
  /** Of its folder and socket. */
  readonly name?: string;
  /** The port where its primary is reached. */
  readonly replicaOf?: number;
}

/** A private server that never rewrites its append-only file, which so holds all that happened; also on data of before. */
export async function startRedis(folder: string, options: RedisOptions = {}): Promise<RedisProcess> {
  const { appendfsync = 'always', name = 'redis', replicaOf } = options;
  const found = findRedisServer(redisSearchFolders(process.env.PATH));
  if (found.status !== 'found') throw new Error('The chaos test needs redis-server 6.2 or newer on the PATH');
  const directory = join(folder, name);
  mkdirSync(directory, { recursive: true });
  const socket = join(folder, `${name}.sock`);
  const settings = {
    port: '0',
    unixsocket: socket,
    dir: directory,
    appendonly: 'yes',
    appendfsync,
    'auto-aof-rewrite-percentage': '0',
    'aof-use-rdb-preamble': 'no',
    'repl-diskless-sync-delay': '0',
    save: '',
    'maxmemory-policy': 'noeviction',
  };
  const settingFlags = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value]);
  if (replicaOf !== undefined) settingFlags.push('--replicaof', '127.0.0.1', String(replicaOf));
  const server = track(
    spawn(found.program.path, settingFlags, {
      argv0: found.program.startedAs,
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
  await firstLine(server, (line) => /ready to accept connections/i.test(line), 'redis-server');
  return { ...stoppable(server), socket, aofFolder: directory };
}

/** The provider; its bill is appended to `billFile`. */
export async function startSimulatorProcess(
  folder: string,
  options: object,
): Promise<ServerProcess & { readonly url: string }> {
  const file = join(folder, 'simulator.json');
  writeFileSync(file, JSON.stringify(options, null, 2));
  const simulator = track(
    spawn(process.execPath, [programFiles().simulator, '--options', file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
  const line = await firstLine(simulator, (text) => text.startsWith('{"url"'), 'the simulator');
  return { ...stoppable(simulator), url: (JSON.parse(line) as { url: string }).url };
}

async function firstLine(child: ChildProcess, isIt: (line: string) => boolean, name: string): Promise<string> {
  if (child.stdout === null) throw new Error(`${name} has no output`);
  const said: string[] = [];
  // The stream keeps flowing afterwards, so that the process never blocks on a full pipe.
  const lines = createInterface({ input: child.stdout });
  return await new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      if (said.length < 50) said.push(line);
      if (isIt(line)) resolve(line);
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}:\n${said.join('\n')}`)));
  });
}

function stoppable(child: ChildProcess): ServerProcess {
  return {
    process: child,
    async kill() {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/**
 * A worker as a user starts one, its log in a file. The process is Node itself, so that a signal hits the worker.
 *
 * @param node arguments of Node
 * @param program default: this tree's
 */
export function spawnWorker(
  folder: string,
  config: string,
  number: number,
  node: readonly string[] = [],
  program = programFiles().program,
): ChildProcess {
  const log = openSync(workerLog(folder, number), 'a');
  const worker = spawn(process.execPath, [...node, program, 'worker', '--config', config], {
    cwd: folder,
    stdio: ['ignore', 'ignore', log],
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
  });
  closeSync(log);
  return track(worker);
}

export function workerLog(folder: string, number: number): string {
  return join(folder, `worker-${number}.log`);
}
