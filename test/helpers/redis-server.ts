import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { connectRedis } from '../../src/adapters/redis/connect.ts';

/** A real Redis of one's own, on a Unix socket in a temporary folder. */
export interface RedisServer extends AsyncDisposable {
  /** `unix://…`, as the config takes it. */
  readonly url: string;
  /** A connection as the program opens it; closed with the server. */
  connect(): Promise<Redis>;
  /** Ends the server as a power switch does. */
  kill(): Promise<void>;
  /** Starts it again on the same data after `kill()`. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Nothing is kept on disk unless the settings say so. */
const SETTINGS = ['--port', '0', '--save', '', '--appendonly', 'no', '--daemonize', 'no'];

/**
 * @param settings more arguments of `redis-server`, e.g. `['--appendonly', 'yes']`; they win over the defaults
 * @param options.password the one that the settings ask for
 */
export async function startRedisServer(
  settings: readonly string[] = [],
  options: { readonly password?: string } = {},
): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'nm-redis-'));
  const socketPath = join(folder, 'redis.sock');
  const url = `unix://${socketPath}`;
  const connections: Redis[] = [];
  let server: ChildProcess | undefined;

  const start = async () => {
    const started = spawn('redis-server', [...SETTINGS, '--dir', folder, '--unixsocket', socketPath, ...settings], {
      stdio: 'ignore',
    });
    server = started;
    const failed = new AbortController();
    started.once('error', (error) => failed.abort(error));
    started.once('exit', () => failed.abort(new Error('redis-server has ended')));
    await waitUntilReady({ path: socketPath, ...options }, failed.signal);
  };
  const kill = async () => {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit');
    server.kill('SIGKILL');
    await exited;
  };
  const stop = async () => {
    for (const connection of connections.splice(0)) connection.disconnect();
    await kill();
    await rm(folder, { recursive: true, force: true });
  };

  await start();
  return {
    url,
    connect: async () => {
      const redis = await connectRedis({ url });
      connections.push(redis);
      return redis;
    },
    kill,
    start,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function waitUntilReady(target: { path: string; password?: string }, failed: AbortSignal): Promise<void> {
  for (;;) {
    failed.throwIfAborted();
    const probe = new Redis({ ...target, lazyConnect: true, retryStrategy: () => null });
    probe.on('error', () => {});
    try {
      await probe.connect();
      // It answers PING while it still loads its data; a write fails then.
      await probe.set('probe', 1);
      await probe.del('probe');
      return;
    } catch {
      await delay(10);
    } finally {
      probe.disconnect();
    }
  }
}
