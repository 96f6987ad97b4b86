import { CommanderError } from 'commander';
import { buildProgram } from './program.ts';
import { reportError, reportUsage } from './report-error.ts';

/**
 * Runs the command that the arguments name, prints what it says, and leaves its exit code in `process.exitCode`. Never
 * throws: what went wrong is printed.
 *
 * @param args what follows the program's name
 */
export async function runCommand(args: readonly string[]): Promise<void> {
  const program = await buildProgram(args);
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    process.exitCode =
      error instanceof CommanderError ? reportUsage(error, program.opts()) : reportError(error, program.opts());
  }
}
