import { runCommand } from '../../src/cli/run-command.ts';
import type { HostedCommand, HostedResult } from './hosted-commands.ts';

/**
 * Runs commands one after the other in one process that stays, each in its own folder and environment: starting the
 * program costs far more than most commands.
 */
process.on('message', (command: HostedCommand) => void answer(command));
process.on('disconnect', () => process.exit());

async function answer({ folder, args, env }: HostedCommand): Promise<void> {
  process.chdir(folder);
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
  process.send?.(result);
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
