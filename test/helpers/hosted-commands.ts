import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { NODE, programFiles } from './program.ts';

export interface HostedCommand {
  readonly folder: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface HostedResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A host of commands (command-host.ts) that this test process has to itself. */
interface Host {
  readonly socket: Socket;
  readonly lines: Interface;
}

/** A second one is for a command that is run while the first waits for something. */
const MAX_HOSTS = 2;
/** Longer than this, the commands in hand may themselves be waiting for the one that is to come. */
const WAIT_MS = 2_000;

/** What hosts that break say, beside their sockets. */
const LOG = 'hosts.log';

const idle: Host[] = [];
const waiting: (() => void)[] = [];
let hosts = 0;

/**
 * Runs a command to its end in a host of this test process. Undefined where every host has a command in hand and keeps
 * it: this one needs a process of its own then.
 *
 * @throws where the command ended its host
 */
export async function runHosted(command: HostedCommand): Promise<HostedResult | undefined> {
  const host = await takeHost();
  if (host === undefined) return undefined;
  const settled = new AbortController();
  const { signal } = settled;
  try {
    host.socket.ref();
    const answered = once(host.lines, 'line', { signal });
    const ended = once(host.socket, 'close', { signal });
    for (const event of [answered, ended]) event.catch(() => {});
    host.socket.write(`${JSON.stringify(command)}\n`);
    const [line] = await Promise.race([answered, ended]);
    if (typeof line === 'string') return JSON.parse(line) as HostedResult;
    const log = readFileSync(join(hostsFolder(), LOG), 'utf8');
    throw new Error(`The command ended its host: ${command.args.join(' ')}\n${log}`);
  } finally {
    settled.abort();
    host.socket.unref();
    if (host.socket.destroyed) hosts -= 1;
    else idle.push(host);
    waiting.shift()?.();
  }
}

async function takeHost(): Promise<Host | undefined> {
  if (idle.length === 0 && hosts === MAX_HOSTS) await freeHost();
  for (let host = idle.pop(); host !== undefined; host = idle.pop()) {
    if (!host.socket.destroyed) return host;
    hosts -= 1;
  }
  if (hosts === MAX_HOSTS) return undefined;
  hosts += 1;
  try {
    return (await joinHost()) ?? (await startHost());
  } catch (error) {
    hosts -= 1;
    throw error;
  }
}

async function freeHost(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  waiting.push(resolve);
  await Promise.race([promise, delay(WAIT_MS)]);
  const place = waiting.indexOf(resolve);
  if (place >= 0) waiting.splice(place, 1);
}

/** Where the hosts of all test processes have their sockets (test/global-setup.ts). */
function hostsFolder(): string {
  return process.env.NIGHTMILL_TEST_HOSTS ?? '';
}

/** One that the tests of an earlier file have left; undefined where all are in use. */
async function joinHost(): Promise<Host | undefined> {
  for (const name of readdirSync(hostsFolder()).filter((each) => each !== LOG)) {
    const host = await openHost(join(hostsFolder(), name));
    if (typeof host === 'object') return host;
    // Its process has ended.
    if (host === 'gone') rmSync(join(hostsFolder(), name), { force: true });
  }
  return undefined;
}

/** It lives on when this process has ended. */
async function startHost(): Promise<Host> {
  const started: ChildProcess = spawn(
    NODE,
    ['--disable-warning=ExperimentalWarning', programFiles().host, hostsFolder()],
    // No terminal, whatever the tests have. What a command prints comes as its result; this is for a host that breaks.
    { detached: true, stdio: ['ignore', 'ignore', openSync(join(hostsFolder(), LOG), 'a')] },
  );
  started.unref();
  const path = join(hostsFolder(), `${started.pid}.sock`);
  while (started.exitCode === null && started.signalCode === null) {
    const host = await openHost(path);
    if (typeof host === 'object') return host;
    // Another test process may have been first.
    if (host === 'in use') return (await joinHost()) ?? (await startHost());
    await delay(10);
  }
  throw new Error(`The host of commands ended with ${started.exitCode ?? started.signalCode} as it started`);
}

async function openHost(path: string): Promise<Host | 'gone' | 'in use'> {
  const socket = connect(path);
  // The socket's own errors come here too.
  const lines = createInterface({ input: socket }).on('error', () => {});
  const said = await new Promise<'ready' | 'gone' | 'in use'>((resolve) => {
    lines.once('line', () => resolve('ready'));
    socket.once('error', () => resolve('gone'));
    socket.once('close', () => resolve('in use'));
  });
  if (said !== 'ready') return said;
  socket.on('error', () => {});
  socket.unref();
  return { socket, lines };
}
