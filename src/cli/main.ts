import { CommanderError } from 'commander';
import { endAtClosedOutput } from './closed-output.ts';
import { buildProgram } from './program.ts';
import { reportError, reportUsage } from './report-error.ts';

endAtClosedOutput(process.stdout, process.stderr);
const program = await buildProgram(process.argv.slice(2));
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode =
    error instanceof CommanderError ? reportUsage(error, program.opts()) : reportError(error, program.opts());
}
