import { spawn } from 'node:child_process';

/**
 * Runs a program with a JSON object on its standard input. It gets no environment but the search path: keys and
 * passwords of this process are none of its business.
 *
 * @returns undefined where it ended with 0, else why not
 */
export async function runCommand(
  [program = '', ...args]: readonly string[],
  input: string,
  { searchPath, signal }: { readonly searchPath: string | undefined; readonly signal: AbortSignal },
): Promise<string | undefined> {
  return await new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: searchPath === undefined ? {} : { PATH: searchPath },
      signal,
      killSignal: 'SIGKILL',
    });
    // A program that does not read its input is none the worse for it.
    child.stdin.on('error', () => {});
    child.on('error', (error) => resolve((error as NodeJS.ErrnoException).code ?? error.name));
    child.on('close', (code, killed) => resolve(code === 0 ? undefined : `exit ${killed ?? code}`));
    child.stdin.end(input);
  });
}
