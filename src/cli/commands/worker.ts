import type { Command } from 'commander';
import { readEnvironment } from '../../../config/environment.ts';
import { keepSchedules } from '../../operations/schedules.ts';
import { runWorker } from '../../worker/run-worker.ts';
import { globalOptions, openLog, readConfig, serviceAnnouncer } from '../with-app.ts';

export function addWorkerCommand(program: Command): void {
  const command = program
    .command('worker')
    .description('work on queued slices until stopped; start as many as you like, on any machine')
    .option('-w, --workflow <name...>', 'only these workflows (default: all of the config)')
    .action(async (flags: { workflow?: string[] }) => {
      const options = globalOptions(command);
      const config = readConfig(options, 'refuse');
      const log = openLog(options, config, 'info');
      await runWorker({
        config,
        log,
        announce: serviceAnnouncer(options, log),
        searchPath: readEnvironment().searchPath,
        alongside: keepSchedules,
        ...(flags.workflow === undefined ? {} : { workflows: flags.workflow }),
      });
    });
}
