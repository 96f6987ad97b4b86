import type { Command } from 'commander';
import { BUILT_INS } from '../../../config/defaults.ts';
import { addInputOptions } from '../input-options.ts';

/** Options that `run` and `submit` share. */
export function addSubmitOptions(command: Command): Command {
  return addInputOptions(command)
    .requiredOption('-w, --workflow <name>', `workflow from the config, or built in, free and local: ${BUILT_INS}`)
    .option('--id <id>', 'batch id (default: made from the workflow and the content)')
    .option('--budget <usd>', 'most that this batch may cost')
    .option('--tenant <name>', 'whose budget it counts against')
    .option('--priority <number>', '0 is first; each step more halves its part of the work (default: 0)')
    .option(
      '--deadline <time>',
      'wanted by then, e.g. 6h or 2026-01-31T06:00Z: a larger part of the work as it comes near',
    )
    .option('--expires <time>', 'ended then with what is done; the rest become expired rows; written as --deadline')
    .option('--name <text>', 'a name for people, shown by status')
    .option('--label <key=value...>', 'labels for people and programs, shown by status')
    .option(
      '--new-only',
      'documents that this workflow has answered before take those answers; only the others are asked',
    )
    .option('--skip-invalid', 'turn bad input lines into error rows instead of refusing the batch');
}
