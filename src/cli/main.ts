import { endAtClosedOutput } from './closed-output.ts';
import { runCommand } from './run-command.ts';

endAtClosedOutput(process.stdout, process.stderr);
await runCommand(process.argv.slice(2));
