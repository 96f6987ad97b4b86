import { Command, Option } from 'commander';
import { version } from '../../config/version.ts';

type AddCommand = (program: Command) => void;

/**
 * Every command, in the order of the help, and where its code is. A command's module brings everything that it needs
 * with it, some of it large: a start that loads only what was asked for takes a third of the time.
 */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  init: async () => (await import('./commands/init.ts')).addInitCommand,
  run: async () => (await import('./commands/run.ts')).addRunCommand,
  submit: async () => (await import('./commands/submit.ts')).addSubmitCommand,
  status: async () => (await import('./commands/status.ts')).addStatusCommand,
  list: async () => (await import('./commands/list.ts')).addListCommand,
  results: async () => (await import('./commands/results.ts')).addResultsCommand,
  show: async () => (await import('./commands/show.ts')).addShowCommand,
  retry: async () => (await import('./commands/retry.ts')).addRetryCommand,
  delete: async () => (await import('./commands/recovery/delete.ts')).addDeleteCommand,
  keep: async () => (await import('./commands/recovery/delete.ts')).addKeepCommand,
  recover: async () => (await import('./commands/recovery/recover.ts')).addRecoverCommand,
  cancel: async () => (await import('./commands/cancel.ts')).addCancelCommand,
  pause: async () => (await import('./commands/pause.ts')).addPauseCommand,
  resume: async () => (await import('./commands/pause.ts')).addResumeCommand,
  budget: async () => (await import('./commands/budget.ts')).addBudgetCommand,
  apply: async () => (await import('./commands/apply.ts')).addApplyCommand,
  plan: async () => (await import('./commands/plan.ts')).addPlanCommand,
  eval: async () => (await import('./commands/eval.ts')).addEvalCommand,
  compare: async () => (await import('./commands/compare.ts')).addCompareCommand,
  choose: async () => (await import('./commands/evidence/choose.ts')).addChooseCommand,
  golden: async () => (await import('./commands/evidence/golden.ts')).addGoldenCommand,
  calibrate: async () => (await import('./commands/calibrate.ts')).addCalibrateCommand,
  changes: async () => (await import('./commands/evidence/changes.ts')).addChangesCommand,
  canary: async () => (await import('./commands/evidence/canary.ts')).addCanaryCommand,
  prices: async () => (await import('./commands/prices.ts')).addPricesCommand,
  worker: async () => (await import('./commands/worker.ts')).addWorkerCommand,
  workers: async () => (await import('./commands/workers.ts')).addWorkersCommand,
  health: async () => (await import('./commands/health.ts')).addHealthCommand,
  serve: async () => (await import('./commands/serve.ts')).addServeCommand,
  schedule: async () => (await import('./commands/schedule.ts')).addScheduleCommand,
  doctor: async () => (await import('./commands/doctor.ts')).addDoctorCommand,
  key: async () => (await import('./commands/key.ts')).addKeyCommand,
  webhooks: async () => (await import('./commands/webhooks.ts')).addWebhooksCommand,
  audit: async () => (await import('./commands/audit.ts')).addAuditCommand,
  reconcile: async () => (await import('./commands/reconcile.ts')).addReconcileCommand,
  report: async () => (await import('./commands/report.ts')).addReportCommand,
  redact: async () => (await import('./commands/redact.ts')).addRedactCommand,
  simulate: async () => (await import('./commands/simulate.ts')).addSimulateCommand,
};

const GLOBAL_OPTIONS = ['--config <file>', '--json', '-q, --quiet', '--log-level <level>'];

/**
 * The command line, with the one command that the arguments name, or with all of them where they name none.
 *
 * @param args what follows the program's name
 */
export async function buildProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('nightmill')
    .description(
      'Grinds document batches overnight: bulk summarization and classification under a dollar limit that holds.',
    )
    .version(version())
    .option('--config <file>', 'configuration file (default: nightmill.yaml, else the embedded defaults)')
    .option('--json', 'print one JSON value on standard output')
    .option('-q, --quiet', 'neither progress nor remarks on standard error; errors and warnings stay')
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
            5 cancelled or expired, 130 interrupted (nothing is lost), 1 anything else.`,
    );
  const name = commandOf(args);
  for (const load of name === undefined ? Object.values(COMMANDS) : [COMMANDS[name]]) (await load?.())?.(program);
  for (const command of program.commands) acceptGlobalOptions(command);
  return program;
}

/** The command that the arguments name: the first that is neither a flag nor the value of one. */
function commandOf(args: readonly string[]): string | undefined {
  const takesValue = (arg: string | undefined) => arg === '--config' || arg === '--log-level';
  const first = args.find((arg, index) => !arg.startsWith('-') && !takesValue(args[index - 1]));
  return first !== undefined && Object.hasOwn(COMMANDS, first) ? first : undefined;
}

/** Options of the whole program are also understood after a command's name. */
function acceptGlobalOptions(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) acceptGlobalOptions(child);
  if (command.commands.length > 0) return;
  for (const flags of GLOBAL_OPTIONS) {
    command.addOption(new Option(flags).hideHelp());
  }
}
