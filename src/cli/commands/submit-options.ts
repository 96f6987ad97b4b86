import type { Command } from 'commander';

/** Options that `run` and `submit` share. */
export function addSubmitOptions(command: Command): Command {
  return command
    .requiredOption('-w, --workflow <name>', 'workflow from the config')
    .option('--id <id>', 'batch id (default: made from the workflow and the content)')
    .option('--budget <usd>', 'most that this batch may cost')
    .option('--tenant <name>', 'whose budget it counts against')
    .option('--priority <number>', '0 is first', '0')
    .option('--skip-invalid', 'turn bad input lines into error rows instead of refusing the batch');
}
