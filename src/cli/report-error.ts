import { NightmillError } from '../errors.ts';

/** Prints what went wrong and what to do; returns the exit code. Errors that nobody foresaw show where they came from. */
export function reportError(error: unknown, options: { readonly json?: boolean }): number {
  const known = error instanceof NightmillError;
  const message = error instanceof Error ? error.message : String(error);
  if (options.json === true) {
    const code = known ? error.code : 'internal';
    process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
  }
  process.stderr.write(`nightmill: ${known ? message : (error instanceof Error && error.stack) || message}\n`);
  return known ? error.exitCode : 1;
}
