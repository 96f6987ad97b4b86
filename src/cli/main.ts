import { CommanderError } from 'commander';
import { buildProgram } from './program.ts';
import { reportError } from './report-error.ts';

const program = buildProgram();
try {
  await program.parseAsync();
} catch (error) {
  // Commander has printed its own message by now; help and version are no errors.
  process.exitCode =
    error instanceof CommanderError ? (error.exitCode === 0 ? 0 : 2) : reportError(error, program.opts());
}
