import type { Command } from 'commander';
import type { App } from '../../app.ts';
import { ERROR_CODES } from '../../errors.ts';
import { exitCodeOf, readStatus } from '../../operations/read-status.ts';
import { statusJson } from '../../operations/status-json.ts';
import { listenForStop } from '../../worker/stop-signals.ts';
import { statusLines } from '../format-status.ts';
import { INPUT_ARGUMENT } from '../input-options.ts';
import { type SubmitFlags, submitInputs } from '../submit-inputs.ts';
import { waitForBatch } from '../wait-for-batch.ts';
import { announcer, type GlobalOptions, hidesProgress, print, withApp } from '../with-app.ts';
import { addSubmitOptions } from './submit-options.ts';

export function addSubmitCommand(program: Command): void {
  const command = program
    .command('submit')
    .description('store and enqueue documents; prints the batch id')
    .argument('<input...>', INPUT_ARGUMENT)
    .option('--wait', 'wait until the batch has ended');
  addSubmitOptions(command).action(async (inputs: string[], flags: SubmitFlags & { wait?: boolean }) => {
    process.exitCode = await withApp(command, (app, options) => submit(app, options, inputs, flags));
  });
}

async function submit(
  app: App,
  options: GlobalOptions,
  inputs: readonly string[],
  flags: SubmitFlags & { wait?: boolean },
): Promise<number> {
  const announce = announcer(options);
  using stop = listenForStop(announce);
  const submitted = await submitInputs(app, inputs, flags, announce, stop.first);
  const { batchId } = submitted;
  if (submitted.kind === 'joined')
    announce(`${batchId} was submitted before with the same content; nothing was added.`);
  if (flags.wait !== true) {
    print(options, statusJson(await readStatus(app, batchId)), () => `${batchId}\n`);
    return 0;
  }
  const { end, status } = await waitForBatch(app, batchId, {
    signal: stop.first,
    quiet: hidesProgress(options),
    isHeld: ({ breaker, held }) => breaker.hold?.cause === 'budget' && held === 0,
  });
  print(options, statusJson(status), () => (end === 'ended' ? `${batchId}\n` : statusLines(status)));
  if (end === 'interrupted') {
    announce(`no longer waiting; ${batchId} continues.`);
    return ERROR_CODES.interrupted.exit;
  }
  return end === 'held' ? 3 : exitCodeOf(status);
}
