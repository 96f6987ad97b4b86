import { CommanderError } from 'commander';
import { buildProgram } from './program.ts';
import { reportError, reportUsage } from './report-error.ts';

const program = buildProgram();
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode =
    error instanceof CommanderError ? reportUsage(error, program.opts()) : reportError(error, program.opts());
}
