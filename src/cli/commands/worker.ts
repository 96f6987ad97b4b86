import type { Command } from 'commander';
import { workflowOf } from '../../app.ts';
import { NightmillError } from '../../errors.ts';
import { startWorker } from '../../worker/start-worker.ts';
import { listenForStop } from '../stop-signals.ts';
import { withApp } from '../with-app.ts';

export function addWorkerCommand(program: Command): void {
  const command = program
    .command('worker')
    .description('work on queued slices until stopped; start as many as you like, on any machine')
    .option('-w, --workflow <name...>', 'only these workflows (default: all of the config)')
    .action(async (flags: { workflow?: string[] }) => {
      await withApp(
        command,
        async (app) => {
          const workflows = flags.workflow ?? [...app.config.workflows.keys()];
          for (const name of workflows) workflowOf(app.config, name);
          if (workflows.length === 0)
            throw new NightmillError('usage', 'The config has no workflows, so there is nothing to work on.');
          using stop = listenForStop((line) => process.stderr.write(`nightmill: ${line}\n`));
          const worker = await startWorker(app, workflows);
          await aborted(stop.first);
          stop.second.addEventListener('abort', () => void worker.stop({ force: true }));
          await worker.stop({ force: stop.second.aborted });
        },
        'info',
      );
    });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
