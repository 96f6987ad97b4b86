import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EmbeddedRedis } from '../../src/adapters/embedded-redis/embedded-redis.ts';
import type { EmbeddedRedisOptions } from '../../src/adapters/embedded-redis/embedded-redis-options.ts';
import { writeEndpoint } from '../../src/adapters/embedded-redis/endpoint.ts';
import { findRedisServer, redisSearchFolders } from '../../src/adapters/embedded-redis/find-redis-server.ts';
import { tryLockFolder } from '../../src/adapters/embedded-redis/folder-lock.ts';
import { joinServer } from '../../src/adapters/embedded-redis/join-server.ts';
import { startEmbeddedRedis } from '../../src/adapters/embedded-redis/start-embedded-redis.ts';
import { failureOf, fakeRedisServer, killOne, redisProcesses } from '../helpers/redis-processes.ts';

const searchFolders = redisSearchFolders(process.env.PATH);
const lookup = findRedisServer(searchFolders);
// The processes of a folder are found through /proc.
const canRun = process.platform === 'linux' && lookup.status === 'found';
const moduleUrl = new URL('../../src/adapters/embedded-redis/start-embedded-redis.ts', import.meta.url).href;

let base: string;
let folder: string;
let redisFolder: string;
const clients: ChildProcess[] = [];

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'nm-redis-')));
  useFolder(join(base, '.nightmill'));
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.kill('SIGKILL');
  for (const { pid } of [...processesOf('supervisor'), ...processesOf('redis-server')]) process.kill(pid, 'SIGKILL');
  await vi.waitFor(() => expect(processesOf('redis-server')).toEqual([]));
  rmSync(base, { recursive: true, force: true });
});

function useFolder(path: string): void {
  folder = path;
  redisFolder = join(path, 'redis');
}

function start(options: Partial<EmbeddedRedisOptions> = {}): Promise<EmbeddedRedis> {
  return startEmbeddedRedis({ folder, searchFolders, allowInstall: false, announce: () => undefined, ...options });
}

async function withRedis<T>(embedded: EmbeddedRedis, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ path: embedded.socketPath });
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

/** Starts a process that uses the folder's server until it is killed; resolves with the server's process id. */
async function startClient(): Promise<{ process: ChildProcess; serverPid: number }> {
  const options = JSON.stringify({ folder, searchFolders, allowInstall: false });
  const script = `
    import { Redis } from 'ioredis';
    import { startEmbeddedRedis } from ${JSON.stringify(moduleUrl)};
    const embedded = await startEmbeddedRedis({ ...${options}, announce: () => undefined });
    const redis = new Redis({ path: embedded.socketPath });
    await redis.incr('clients');
    process.stdout.write(/process_id:(\\d+)/.exec(await redis.info('server'))[1] + '\\n');`;
  // A process group of its own, as a terminal gives it to a command.
  const client = spawn(process.execPath, ['--input-type=module', '-e', script], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  clients.push(client);
  const [output] = await once(client.stdout, 'data');
  return { process: client, serverPid: Number(String(output)) };
}

const processesOf = (kind: 'redis-server' | 'supervisor') => redisProcesses(kind, redisFolder);

/** One supervisor, which serves: another that was started beside it may be about to end. */
async function supervisorOtherThan(killed?: { readonly pid: number }): Promise<void> {
  await vi.waitFor(
    async () => {
      const found = processesOf('supervisor');
      expect(found).toHaveLength(1);
      expect(found).not.toEqual([killed]);
      const connection = await joinServer(redisFolder);
      connection?.close();
      expect(connection).toBeDefined();
    },
    { timeout: 20_000 },
  );
}

async function serverEnd(): Promise<void> {
  await vi.waitFor(() => expect([...processesOf('redis-server'), ...processesOf('supervisor')]).toEqual([]), {
    timeout: 20_000,
    interval: 50,
  });
}

describe.skipIf(!canRun)('startEmbeddedRedis()', () => {
  it('starts a private server, ends it after its last client and keeps its data', async () => {
    const first = await start();
    await withRedis(first, async (redis) => {
      await redis.set('kept', 'yes');
      expect(await redis.config('GET', 'port')).toEqual(['port', '0']);
      expect(await redis.config('GET', 'appendfsync')).toEqual(['appendfsync', 'always']);
      expect(await redis.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
    });
    expect(first.socketPath).toBe(join(redisFolder, 'redis.sock'));
    expect(statSync(first.socketPath).mode & 0o777).toBe(0o700);
    expect(statSync(redisFolder).mode & 0o777).toBe(0o700);
    await first.close();
    await first.close();
    await serverEnd();

    // A clean end leaves nothing that the next start would have to wait for.
    expect(readdirSync(redisFolder).sort()).toEqual(['appendonlydir', 'lock', 'redis.log']);
    await using second = await start();
    expect(await withRedis(second, (redis) => redis.get('kept'))).toBe('yes');
  });

  it('joins the server that runs, which stays as long as anyone uses it', async () => {
    const first = await start();
    const [server] = processesOf('redis-server');
    const second = await start({ searchFolders: [] });
    expect(second.socketPath).toBe(first.socketPath);
    await first.close();
    await delay(3_000);
    expect(processesOf('redis-server')).toEqual([server]);
    await second.close();
    await serverEnd();
  });

  it('starts one server for processes that start at the same moment', async () => {
    const started = await Promise.all([startClient(), startClient(), startClient(), startClient(), startClient()]);
    expect(new Set(started.map(({ serverPid }) => serverPid)).size).toBe(1);
    expect(processesOf('redis-server')).toEqual([{ pid: started[0]?.serverPid }]);
    await vi.waitFor(() => expect(processesOf('supervisor')).toHaveLength(1), { timeout: 5_000 });
    await using embedded = await start();
    expect(await withRedis(embedded, (redis) => redis.get('clients'))).toBe('5');
  });

  it('ends the server when its only client was killed, and keeps what the client wrote', async () => {
    const client = await startClient();
    client.process.kill('SIGKILL');
    await serverEnd();
    await using embedded = await start();
    expect(await withRedis(embedded, (redis) => redis.get('clients'))).toBe('1');
  });

  it('keeps the server for the others when Ctrl-C ends the process that started it', async () => {
    const starter = await startClient();
    const other = await startClient();
    process.kill(-starter.process.pid!, 'SIGINT');
    await once(starter.process, 'exit');
    await delay(500);
    expect(processesOf('redis-server')).toEqual([{ pid: other.serverPid }]);
    expect(processesOf('supervisor')).toHaveLength(1);
  });

  it('adopts the server of a supervisor that was killed', async () => {
    const client = await startClient();
    for (const { pid } of processesOf('supervisor')) process.kill(pid, 'SIGKILL');
    await vi.waitFor(() => expect(processesOf('supervisor')).toEqual([]));
    const embedded = await start();
    expect(processesOf('redis-server')).toEqual([{ pid: client.serverPid }]);
    await supervisorOtherThan();
    client.process.kill('SIGKILL');
    await embedded.close();
    await serverEnd();
  });

  it('gives its server a new supervisor where that was killed, although nobody else joins', async () => {
    const client = await startClient();
    await supervisorOtherThan();
    const [killed] = processesOf('supervisor');
    killOne(killed);
    await supervisorOtherThan(killed);
    expect(processesOf('redis-server')).toEqual([{ pid: client.serverPid }]);
    await delay(500);
    client.process.kill('SIGKILL');
    await serverEnd();
  });

  it('starts again over everything that a power loss leaves behind', async () => {
    const client = await startClient();
    for (const { pid } of [...processesOf('supervisor'), ...processesOf('redis-server')]) process.kill(pid, 'SIGKILL');
    client.process.kill('SIGKILL');
    await vi.waitFor(() => expect(processesOf('redis-server')).toEqual([]));
    expect(readdirSync(redisFolder)).toEqual(expect.arrayContaining(['redis.sock', 'endpoint.json', 'lock']));
    const log = readdirSync(join(redisFolder, 'appendonlydir')).find((name) => name.endsWith('.incr.aof')) ?? '';
    appendFileSync(join(redisFolder, 'appendonlydir', log), '*3\r\n$3\r\nSET\r\n$4\r\nha');
    await using embedded = await start();
    expect(await withRedis(embedded, (redis) => redis.get('clients'))).toBe('1');
  });

  it('waits for a supervisor that is at work and does not start beside it', async () => {
    mkdirSync(redisFolder, { recursive: true });
    const lock = tryLockFolder(redisFolder);
    expect(tryLockFolder(redisFolder)).toBeUndefined();
    let isStarted = false;
    const starting = start().then((embedded) => {
      isStarted = true;
      return embedded;
    });
    await vi.waitFor(() => expect(processesOf('supervisor')).toHaveLength(1));
    await delay(500);
    expect(isStarted).toBe(false);
    expect(processesOf('redis-server')).toEqual([]);
    lock?.release();
    await using _embedded = await starting;
  });

  it('stops waiting when its signal aborts', async () => {
    mkdirSync(redisFolder, { recursive: true });
    const lock = tryLockFolder(redisFolder);
    const abort = new AbortController();
    const starting = start({ signal: abort.signal });
    await vi.waitFor(() => expect(processesOf('supervisor')).toHaveLength(1));
    abort.abort(new Error('the user gave up'));
    await expect(starting).rejects.toThrow();
    lock?.release();
  });

  it('starts a crashed server again with its data', async () => {
    await using embedded = await start();
    await withRedis(embedded, async (redis) => {
      redis.on('error', () => undefined);
      await redis.set('kept', 'yes');
      const [server] = processesOf('redis-server');
      killOne(server);
      await vi.waitFor(async () => expect(await redis.get('kept')).toBe('yes'), { timeout: 5_000 });
      expect(processesOf('redis-server')).not.toEqual([server]);
    });
  });

  it('gives up on a server that keeps crashing, and says why it is gone', async () => {
    await using embedded = await start();
    const redis = new Redis({ path: embedded.socketPath });
    redis.on('error', () => undefined);
    for (let crash = 0; crash < 4; crash++) {
      const server = await vi.waitFor(
        async () => {
          // Joining works once the supervisor has the new server under watch.
          const connection = await joinServer(redisFolder);
          expect(connection).toBeDefined();
          connection?.close();
          const [found] = processesOf('redis-server');
          expect(found).toBeDefined();
          return found;
        },
        { timeout: 5_000, interval: 10 },
      );
      killOne(server);
    }
    await serverEnd();
    redis.disconnect();
    expect(embedded.failure().message).toContain('4 times in a row');
  });

  it('ends the server when the supervisor is asked to, clients or not', async () => {
    await using embedded = await start();
    const closed = withRedis(embedded, async (redis) => {
      redis.on('error', () => undefined);
      await redis.ping();
      for (const { pid } of processesOf('supervisor')) process.kill(pid, 'SIGTERM');
      await once(redis, 'close');
    });
    await closed;
    await serverEnd();
  });

  it('leaves the server of a folder that was removed and made again in peace', async () => {
    const first = await start();
    await first.close();
    rmSync(folder, { recursive: true });
    await using second = await start();
    await vi.waitFor(() => expect(processesOf('redis-server')).toHaveLength(1), { timeout: 5_000 });
    await withRedis(second, (redis) => redis.set('kept', 'yes'));
    await using third = await start();
    expect(await withRedis(third, (redis) => redis.get('kept'))).toBe('yes');
  });

  it('listens in a private folder outside where the path is too long for a socket', async () => {
    useFolder(join(base, 'x'.repeat(120), '.nightmill'));
    const embedded = await start();
    const socketFolder = dirname(embedded.socketPath);
    expect(socketFolder.startsWith(join(tmpdir(), 'nightmill-'))).toBe(true);
    expect(statSync(socketFolder).mode & 0o777).toBe(0o700);
    expect(await withRedis(embedded, (redis) => redis.ping())).toBe('PONG');
    await embedded.close();
    await serverEnd();
    expect(existsSync(socketFolder)).toBe(false);
  });

  it('runs the program of redis-tools alone, in a folder with spaces and quotes', async () => {
    useFolder(join(base, `a "b" 'c' ü`));
    const programs = join(base, 'bin');
    mkdirSync(programs);
    const found = lookup.status === 'found' ? lookup.program.path : '';
    symlinkSync(realpathSync(found), join(programs, 'redis-check-rdb'));
    await using embedded = await start({ searchFolders: [programs] });
    expect(await withRedis(embedded, (redis) => redis.ping())).toBe('PONG');
  });

  it('reports data that the server cannot read with the log and the fix', async () => {
    const first = await start();
    await withRedis(first, (redis) => redis.set('kept', 'yes'));
    await first.close();
    await serverEnd();
    const files = join(redisFolder, 'appendonlydir');
    for (const name of readdirSync(files).filter((file) => file.endsWith('.incr.aof'))) {
      writeFileSync(join(files, name), 'this is no append-only file\r\n');
    }
    const error = await failureOf(start());
    expect(error.code).toBe('redis_unavailable');
    expect(error.message).toContain('Bad file format');
    expect(error.message).toContain('redis-check-aof');
    expect(processesOf('supervisor')).toEqual([]);
  });

  it('refuses an older server beside data of a newer one', async () => {
    mkdirSync(join(redisFolder, 'appendonlydir'), { recursive: true });
    const error = await failureOf(start({ searchFolders: [fakeRedisServer(base, '6.2.14')] }));
    expect(error.code).toBe('redis_unsuitable');
    expect(error.message).toContain('6.2.14');
  });

  it('starts where an old endpoint points to nothing', async () => {
    mkdirSync(redisFolder, { recursive: true });
    writeEndpoint(redisFolder, { state: 'ready', socketPath: join(redisFolder, 'gone.sock') });
    await using embedded = await start();
    expect(embedded.socketPath).toBe(join(redisFolder, 'redis.sock'));
  });
});
