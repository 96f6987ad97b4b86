import type { Command } from 'commander';
import { pauseNamed, resumeNamed } from '../../operations/pauses.ts';
import { print, withApp } from '../with-app.ts';

export function addPauseCommand(program: Command): void {
  const pause = program
    .command('pause')
    .description('hold a workflow for the whole cluster, or one batch')
    .argument('<name>', 'a workflow or a batch id')
    .action(async (name: string) => {
      await withApp(pause, async (app, options) => {
        const { kind, changed } = await pauseNamed(app, name);
        print(
          options,
          { name, kind, state: 'paused', changed },
          () => `${kind} ${name}  ${changed ? 'paused' : 'was paused already'}; to resume: nightmill resume ${name}\n`,
        );
      });
    });
}

export function addResumeCommand(program: Command): void {
  const resume = program
    .command('resume')
    .description('resume a paused workflow or batch')
    .argument('<name>', 'a workflow or a batch id')
    .action(async (name: string) => {
      await withApp(resume, async (app, options) => {
        const { kind, changed } = await resumeNamed(app, name);
        print(
          options,
          { name, kind, state: 'running', changed },
          () => `${kind} ${name}  ${changed ? 'resumed' : 'was not paused'}\n`,
        );
      });
    });
}
