import { Command, Option } from 'commander';
import { version } from '../../config/version.ts';
import { addApplyCommand } from './commands/apply.ts';
import { addAuditCommand } from './commands/audit.ts';
import { addBudgetCommand } from './commands/budget.ts';
import { addCancelCommand } from './commands/cancel.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addHealthCommand } from './commands/health.ts';
import { addKeyCommand } from './commands/key.ts';
import { addPauseCommands } from './commands/pause.ts';
import { addPlanCommand } from './commands/plan.ts';
import { addPricesCommand } from './commands/prices.ts';
import { addReconcileCommand } from './commands/reconcile.ts';
import { addRedactCommand } from './commands/redact.ts';
import { addResultsCommand } from './commands/results.ts';
import { addRetryCommand } from './commands/retry.ts';
import { addRunCommand } from './commands/run.ts';
import { addServeCommand } from './commands/serve.ts';
import { addSimulateCommand } from './commands/simulate.ts';
import { addStatusCommand } from './commands/status.ts';
import { addSubmitCommand } from './commands/submit.ts';
import { addWorkerCommand } from './commands/worker.ts';
import { addWorkersCommand } from './commands/workers.ts';

export function buildProgram(): Command {
  const program = new Command('nightmill')
    .description(
      'Grinds document batches overnight: bulk summarization and classification under a dollar limit that holds.',
    )
    .version(version())
    .option('--config <file>', 'configuration file (default: nightmill.yaml, else the embedded defaults)')
    .option('--json', 'print one JSON value on standard output')
    .option('--log-level <level>', 'debug, info, warn, error or silent (logs go to standard error)')
    .showHelpAfterError('(nightmill --help lists what there is)')
    .exitOverride()
    .addHelpText(
      'after',
      `
Examples:
  $ npx nightmill run docs.jsonl -w classify -o out      one process, no server, no key
  $ npx nightmill submit docs.jsonl -w triage --wait     enqueue for a cluster of workers
  $ npx nightmill status --watch                         what runs, what it costs, why it paused

Exit codes: 0 all documents succeeded, 2 usage or config, 3 stopped by budget, 4 finished with failed documents,
            5 cancelled or expired, 1 anything else.`,
    );
  addRunCommand(program);
  addSubmitCommand(program);
  addStatusCommand(program);
  addResultsCommand(program);
  addRetryCommand(program);
  addCancelCommand(program);
  addPauseCommands(program);
  addBudgetCommand(program);
  addApplyCommand(program);
  addPlanCommand(program);
  addPricesCommand(program);
  addWorkerCommand(program);
  addWorkersCommand(program);
  addHealthCommand(program);
  addServeCommand(program);
  addDoctorCommand(program);
  addKeyCommand(program);
  addAuditCommand(program);
  addReconcileCommand(program);
  addRedactCommand(program);
  addSimulateCommand(program);
  for (const command of program.commands) acceptGlobalOptions(command);
  return program;
}

/** Options of the whole program are also understood after a command's name. */
function acceptGlobalOptions(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) acceptGlobalOptions(child);
  if (command.commands.length > 0) return;
  for (const flags of ['--config <file>', '--json', '--log-level <level>']) {
    command.addOption(new Option(flags).hideHelp());
  }
}
