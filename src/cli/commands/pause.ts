import type { Command } from 'commander';
import type { App } from '../../app.ts';
import { holdWorkflow, parkBatch, releaseWorkflow, unparkBatch } from '../../budgets/breaker.ts';
import { NightmillError } from '../../errors.ts';
import type { Pause } from '../../ledger/pause.ts';
import { print, withApp } from '../with-app.ts';

export function addPauseCommands(program: Command): void {
  const pause = program
    .command('pause')
    .description('hold a workflow for the whole cluster, or one batch')
    .argument('<name>', 'a workflow or a batch id')
    .action(async (name: string) => {
      await withApp(pause, async (app, options) => {
        const kind = await kindOf(app, name);
        const hold: Pause = { cause: 'operator', reason: 'paused by an operator.', since: app.clock.now() };
        if (kind === 'workflow') await holdWorkflow(app.breaker, name, hold);
        else await parkBatch(app.breaker, name, hold);
        print(
          options,
          { name, kind, state: 'paused' },
          () => `${kind} ${name}  paused; to go on: nightmill resume ${name}\n`,
        );
      });
    });
  const resume = program
    .command('resume')
    .description('let a held workflow or batch go on')
    .argument('<name>', 'a workflow or a batch id')
    .action(async (name: string) => {
      await withApp(resume, async (app, options) => {
        const kind = await kindOf(app, name);
        const reason = 'resumed by an operator';
        const released =
          kind === 'workflow'
            ? await releaseWorkflow(app.breaker, name, reason)
            : await unparkBatch(app.breaker, name, reason);
        print(
          options,
          { name, kind, state: 'running', changed: released },
          () => `${kind} ${name}  ${released ? 'goes on' : 'was not paused'}\n`,
        );
      });
    });
}

async function kindOf(app: App, name: string): Promise<'workflow' | 'batch'> {
  if (app.config.workflows.has(name)) return 'workflow';
  if ((await app.batches.get(name)) !== undefined) return 'batch';
  const known = [...app.config.workflows.keys()].join(', ') || 'none';
  throw new NightmillError(
    'batch_unknown',
    `There is no workflow and no batch ${JSON.stringify(name)}; workflows: ${known}.`,
  );
}
