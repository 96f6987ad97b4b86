import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Endpoint, readEndpoint, removeEndpoint, SUPERVISOR_CLIENT_NAME, writeEndpoint } from './endpoint.ts';
import { type FolderLock, tryLockFolder } from './folder-lock.ts';
import { RedisConnection, RedisReplyError } from './redis-connection.ts';
import { redisSettings } from './redis-settings.ts';
import { chooseSocketPath } from './socket-path.ts';

/**
 * The process that starts the Redis server of one folder, and ends it when nobody has used it for two seconds. It runs
 * in a session of its own, so that neither Ctrl-C nor the death of a client reaches it, and belongs to no client.
 *
 * Ends with 0 when the server has ended or another supervisor serves the folder, else with 1 and the reason in the log.
 */
export interface SupervisorArguments {
  /** Absolute, without links: the data, the log, the lock. Exists. */
  readonly redisFolder: string;
  /** Where the socket goes if it cannot be in `redisFolder`, the first that takes it. */
  readonly temporaryFolders: readonly string[];
  readonly program: { readonly path: string; readonly startedAs: string };
}

const POLL_MS = 250;
const LOCK_POLL_MS = 50;
/** How long the server lives with no client. */
const IDLE_MS = 2_000;
/** How long a server may take from its start to its socket, or from SHUTDOWN to its end. */
const SETTLE_MS = 1_000;
/** A server that ends by itself this often in a row is not started again. */
const MAX_CRASHES = 3;
/** After this time the server counts as healthy. */
const HEALTHY_MS = 60_000;

const { redisFolder, temporaryFolders, program }: SupervisorArguments = JSON.parse(process.argv[2] ?? '{}');
const folderAtStart = folderIdentity();
/** The server, where this process started it and did not adopt it. */
let child: ChildProcess | undefined;
/** Kept in a variable: a lock that is garbage-collected is a lock released. */
let lock: FolderLock | undefined;
let socketPath = '';
let stopRequested = false;

// A terminal that closes is no reason to end; a plain `kill` is.
process.on('SIGHUP', () => undefined);
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => {
  stopRequested = true;
});

try {
  if (await waitForLock()) await superviseUntilIdle();
  lock?.release();
  process.exit(0);
} catch (error) {
  log(error instanceof Error ? error.message : String(error));
  process.exit(1);
}

/** True with the lock held; false once another supervisor has a server that answers. */
async function waitForLock(): Promise<boolean> {
  while (!stopRequested) {
    lock = tryLockFolder(redisFolder);
    if (lock !== undefined) return true;
    if (readEndpoint(redisFolder)?.state === 'ready' && (await connectToServer()) !== undefined) return false;
    await delay(LOCK_POLL_MS);
  }
  return false;
}

async function superviseUntilIdle(): Promise<void> {
  for (let crashes = 0; ; ) {
    const startedAt = performance.now();
    const server = (await connectToServer()) ?? (await connectToLateServer()) ?? (await startServer());
    await server.command('CLIENT', 'SETNAME', SUPERVISOR_CLIENT_NAME).catch(() => undefined);
    await waitUntilLoaded(server);
    if ((await watch(server)) === 'ended') return;
    // Its connection is gone: it crashed, or somebody ended it.
    if (child !== undefined && !hasExited(child)) await Promise.race([once(child, 'exit'), delay(SETTLE_MS)]);
    if (child?.exitCode === 0 || stopRequested || folderIdentity() !== folderAtStart) return;
    crashes = performance.now() - startedAt > HEALTHY_MS ? 1 : crashes + 1;
    if (crashes > MAX_CRASHES) throw new Error(`The Redis server ended ${crashes} times in a row; giving up.`);
    log(`the Redis server has ended by itself (${crashes} of ${MAX_CRASHES}), starting it again`);
  }
}

/** The server that already runs on this folder, also one whose supervisor was killed. */
async function connectToServer(): Promise<RedisConnection | undefined> {
  socketPath = readEndpoint(redisFolder)?.socketPath ?? socketPath;
  return socketPath === '' ? undefined : RedisConnection.open(socketPath).catch(() => undefined);
}

/**
 * A supervisor that was killed while its server started or ended leaves a server that has no socket but uses the data
 * files: give it time to show up or to end before another one is started.
 */
async function connectToLateServer(): Promise<RedisConnection | undefined> {
  const state = readEndpoint(redisFolder)?.state;
  if (child !== undefined || state === undefined || state === 'ready') return undefined;
  const end = performance.now() + SETTLE_MS;
  while (performance.now() < end) {
    const server = await connectToServer();
    if (server !== undefined) return server;
    await delay(LOCK_POLL_MS);
  }
  return undefined;
}

async function startServer(): Promise<RedisConnection> {
  if (child !== undefined && !hasExited(child)) {
    throw new Error(`The Redis server (process ${child.pid}) runs but its socket is gone: end it, then start again.`);
  }
  socketPath = await chooseSocketPath(redisFolder, temporaryFolders);
  writeEndpoint(redisFolder, { state: 'starting', socketPath });
  const started = spawn(program.path, redisSettings(redisFolder, socketPath), {
    argv0: program.startedAs,
    cwd: redisFolder,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  child = started;
  await once(started, 'spawn');
  for (;;) {
    if (hasExited(started)) {
      removeEndpoint(redisFolder);
      throw new Error(`${program.path} ended with ${started.exitCode ?? started.signalCode}.`);
    }
    const server = await connectToServer();
    if (server !== undefined) return server;
    await delay(LOCK_POLL_MS);
  }
}

/** Returns once Redis has read its data, or its connection has ended. */
async function waitUntilLoaded(server: RedisConnection): Promise<void> {
  for (;;) {
    const isLoading = await server.command('PING').then(
      () => false,
      (error) => error instanceof RedisReplyError && error.message.startsWith('LOADING'),
    );
    if (!isLoading) return setState('ready');
    await delay(LOCK_POLL_MS);
  }
}

/** Returns `ended` once the server was idle for long enough and has ended, `lost` when its connection is gone. */
async function watch(server: RedisConnection): Promise<'ended' | 'lost'> {
  let lost = false;
  server.closed.then(() => {
    lost = true;
  });
  let lastUseAt = performance.now();
  while (!lost) {
    if (await isUsed(server)) lastUseAt = performance.now();
    if (stopRequested || performance.now() - lastUseAt > IDLE_MS) {
      if (await endServer(server)) return 'ended';
      lastUseAt = performance.now();
    }
    await Promise.race([server.closed, delay(POLL_MS)]);
  }
  return 'lost';
}

/** Whether anyone but this process is connected. A server that cannot tell, busy with a script, is used. */
async function isUsed(server: RedisConnection): Promise<boolean> {
  const info = await server.command('INFO', 'clients').catch(() => '');
  return /^connected_clients:1\r?$/m.exec(info) === null;
}

/**
 * Stops the server unless somebody has come in the meantime. A client connects first and then reads the endpoint; this
 * writes the endpoint first and then counts the clients: so either the client sees `ending` or it is counted.
 */
async function endServer(server: RedisConnection): Promise<boolean> {
  if (folderIdentity() !== folderAtStart) {
    // Somebody removed the folder. A new one of that name may have a server by now: leave its files alone, and do not
    // send SHUTDOWN, which removes the socket by name. There are no data left to save.
    child?.kill('SIGKILL');
    return true;
  }
  setState('ending');
  if (!stopRequested && (await isUsed(server))) {
    setState('ready');
    return false;
  }
  try {
    // The append-only file is complete; NOSAVE only leaves out a snapshot. Redis answers nothing but a refusal.
    await server.command('SHUTDOWN', 'NOSAVE');
  } catch (error) {
    if (error instanceof RedisReplyError) {
      log(`Redis refuses to end: ${error.message}`);
      setState('ready');
      return false;
    }
  }
  await server.closed;
  if (child !== undefined && !hasExited(child)) await once(child, 'exit');
  if (dirname(socketPath) !== redisFolder) rmSync(dirname(socketPath), { recursive: true, force: true });
  removeEndpoint(redisFolder);
  return true;
}

/** Tells the clients about the server. On a full disk the endpoint is removed, which keeps them away as well. */
function setState(state: Endpoint['state']): void {
  try {
    writeEndpoint(redisFolder, { state, socketPath });
  } catch (error) {
    log(`cannot write the endpoint: ${String(error)}`);
    removeEndpoint(redisFolder);
  }
}

/** Tells a folder from a later one of the same name. A working folder keeps its number for as long as it is in use. */
function folderIdentity(): string {
  const status = statSync(redisFolder, { bigint: true, throwIfNoEntry: false });
  return status === undefined ? 'none' : `${status.dev}:${status.ino}`;
}

function hasExited(process: ChildProcess): boolean {
  return process.exitCode !== null || process.signalCode !== null;
}

function log(line: string): void {
  process.stderr.write(`${new Date().toISOString()} nightmill: ${line}\n`);
}
