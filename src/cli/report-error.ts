import type { CommanderError } from 'commander';
import { NightmillError } from '../errors.ts';
import { screen } from './screen.ts';

/** Prints what went wrong and what to do; returns the exit code. Errors that nobody foresaw show where they came from. */
export function reportError(error: unknown, options: { readonly json?: boolean }): number {
  const known = error instanceof NightmillError;
  const message = error instanceof Error ? error.message : String(error);
  if (options.json === true) printJson(known ? error.code : 'internal', message);
  screen.end();
  screen.line(
    `nightmill: ${known || isSystemError(error) ? message : (error instanceof Error && error.stack) || message}`,
  );
  return known ? error.exitCode : 1;
}

/** A full disk or a missing right says what it is, wherever in the program it was met. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}

/** Commander has printed its own message by now; help and version are no errors. Returns the exit code. */
export function reportUsage(error: CommanderError, options: { readonly json?: boolean }): number {
  if (error.exitCode === 0) return 0;
  if (options.json === true) printJson('usage', error.message);
  return 2;
}

function printJson(code: string, message: string): void {
  process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
}
