import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';
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

/** A second one is for a command that is run while the first waits for something. */
const MAX_HOSTS = 2;
/** Longer than this, the commands in hand may themselves be waiting for the one that is to come. */
const WAIT_MS = 2_000;

const idle: ChildProcess[] = [];
const waiting: (() => void)[] = [];
let hosts = 0;

/**
 * Runs a command to its end in a host (command-host.ts) of this test process. Undefined where every host has a command
 * in hand and keeps it: this one needs a process of its own then.
 *
 * @throws where the command ended its host
 */
export async function runHosted(command: HostedCommand): Promise<HostedResult | undefined> {
  const host = await takeHost();
  if (host === undefined) return undefined;
  const settled = new AbortController();
  const { signal } = settled;
  try {
    host.channel?.ref();
    const answered = once(host, 'message', { signal });
    const ended = once(host, 'exit', { signal });
    for (const event of [answered, ended]) event.catch(() => {});
    host.send(command);
    const [result] = await Promise.race([answered, ended]);
    if (typeof result === 'object' && result !== null) return result as HostedResult;
    throw new Error(`The command ended its host with ${String(result)}: ${command.args.join(' ')}`);
  } finally {
    settled.abort();
    host.channel?.unref();
    if (host.connected) idle.push(host);
    else hosts -= 1;
    waiting.shift()?.();
  }
}

async function takeHost(): Promise<ChildProcess | undefined> {
  if (idle.length === 0 && hosts === MAX_HOSTS) await freeHost();
  const host = idle.pop();
  if (host !== undefined) return host;
  if (hosts === MAX_HOSTS) return undefined;
  hosts += 1;
  return startHost();
}

async function freeHost(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  waiting.push(resolve);
  await Promise.race([promise, delay(WAIT_MS)]);
  const place = waiting.indexOf(resolve);
  if (place >= 0) waiting.splice(place, 1);
}

/** It ends with this process, when the channel closes. */
function startHost(): ChildProcess {
  const host = fork(programFiles().host, {
    execPath: NODE,
    execArgv: ['--disable-warning=ExperimentalWarning'],
    // No terminal, whatever the tests have. What a command prints comes as its result; this is for a host that breaks.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  host.stderr?.on('data', (text: Buffer) => process.stderr.write(text));
  host.unref();
  if (host.stderr instanceof Socket) host.stderr.unref();
  return host;
}
