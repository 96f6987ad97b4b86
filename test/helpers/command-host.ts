import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { runCommand } from '../../src/cli/run-command.ts';
import type { HostedCommand, HostedResult } from './hosted-commands.ts';

/** The tests are over, or were killed. */
const UNUSED_MS = 60_000;

/**
 * Runs commands one after the other in one process that stays, each in its own folder and environment: starting the
 * program costs far more than most commands. It is asked on the socket `PID.sock` of the folder that it is told, by one
 * test process at a time: JSON lines, after a line `ready`. Whoever finds it in use is hung up on.
 */
const [folder = ''] = process.argv.slice(2);
let user: Socket | undefined;
let isWorking = false;
let unused = endUnused();

createServer((socket) => {
  socket.on('error', () => {});
  if (user !== undefined) {
    socket.destroy();
    return;
  }
  user = socket;
  clearTimeout(unused);
  socket.on('close', () => {
    // The tests that asked are gone; nobody knows what the command has left behind.
    if (isWorking) process.exit(1);
    user = undefined;
    unused = endUnused();
  });
  createInterface({ input: socket }).on('line', (line) => void answer(socket, JSON.parse(line) as HostedCommand));
  socket.write('ready\n');
}).listen(join(folder, `${process.pid}.sock`));

function endUnused(): NodeJS.Timeout {
  return setTimeout(() => process.exit(), UNUSED_MS);
}

async function answer(socket: Socket, { folder: cwd, args, env }: HostedCommand): Promise<void> {
  isWorking = true;
  process.chdir(cwd);
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  const stdout = capture(process.stdout);
  const stderr = capture(process.stderr);
  process.exitCode = undefined;
  await runCommand(args);
  const code = Number(process.exitCode ?? 0);
  // What the host's own end gives back.
  process.exitCode = undefined;
  const result: HostedResult = { code, stdout: stdout(), stderr: stderr() };
  isWorking = false;
  socket.write(`${JSON.stringify(result)}\n`);
}

/** Keeps what is written from now on; call the result for it. */
function capture(stream: NodeJS.WriteStream): () => string {
  let text = '';
  const decoder = new TextDecoder();
  stream.write = ((chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    const done = rest.at(-1);
    if (typeof done === 'function') process.nextTick(done);
    return true;
  }) as typeof stream.write;
  return () => text;
}
