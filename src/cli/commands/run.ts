import type { Command } from 'commander';
import type { App } from '../../app.ts';
import { hasEnded } from '../../batches/batch-states.ts';
import type { BatchStatus } from '../../batches/batch-status.ts';
import { NightmillError } from '../../errors.ts';
import { readStatus } from '../../operations/read-status.ts';
import { prepareFolder, refuseOtherBatch } from '../../results/download-results.ts';
import { stateLimits } from '../../worker/state-limits.ts';
import { listenForStop } from '../../worker/stop-signals.ts';
import { INPUT_ARGUMENT } from '../input-options.ts';
import { FORMAT_OPTION, readFormats } from '../result-formats.ts';
import { type SubmitFlags, submitInputs } from '../submit-inputs.ts';
import { announcer, type GlobalOptions, withApp } from '../with-app.ts';
import { workAndDownload } from '../work-and-download.ts';
import { addSubmitOptions } from './submit-options.ts';

interface RunFlags extends SubmitFlags {
  readonly output: string;
  readonly format: string;
  readonly force?: boolean;
}

export function addRunCommand(program: Command): void {
  const command = program
    .command('run')
    .description('submit, work, wait and download in one process')
    .argument('<input...>', INPUT_ARGUMENT)
    .requiredOption('-o, --output <folder>', 'where results.jsonl, errors.jsonl and manifest.json go')
    .option(...FORMAT_OPTION)
    .option('--force', "replace another batch's results in that folder");
  addSubmitOptions(command).action(async (inputs: string[], flags: RunFlags) => {
    process.exitCode = await withApp(command, (app, options) => run(app, options, inputs, flags), {
      missingSecrets: 'refuse',
    });
  });
}

async function run(app: App, options: GlobalOptions, inputs: readonly string[], flags: RunFlags): Promise<number> {
  const announce = announcer(options);
  using stop = listenForStop(announce);
  await readFormats(flags.format);
  await refusePaused(app, flags.workflow);
  await prepareFolder(flags.output);
  await stateLimits(app, 'replace');
  const submitted = await submitInputs(app, inputs, flags, announce, stop.first);
  const { batchId } = submitted;
  if (flags.force !== true) await refuseOtherBatch(flags.output, batchId);
  announce(describeSubmitted(submitted.kind, await readStatus(app, batchId)));
  const job = { workflow: flags.workflow, batchId, shown: batchId, output: flags.output, format: flags.format, stop };
  return await workAndDownload(app, options, job);
}

/** What has become of the documents by submitting them, now or before. */
export function describeSubmitted(
  kind: 'submitted' | 'joined',
  { batchId, documents, state }: Pick<BatchStatus, 'batchId' | 'documents' | 'state'>,
): string {
  const what = `${documents.total.toLocaleString('en')} documents as ${batchId}`;
  if (kind === 'submitted') return `submitted ${what}`;
  if (state === 'completed') {
    return `${what} were done before, so nothing is done again (--id NAME makes a new batch of them)`;
  }
  return hasEnded(state)
    ? `${what} were submitted before and are ${state}, so nothing more is asked (nightmill retry ${batchId} asks the rest, --id NAME makes a new batch of all)`
    : `${what} were submitted before and are ${state}: resuming`;
}

/** Asked before anything is stored: a refused command leaves nothing behind. */
async function refusePaused(app: App, workflow: string): Promise<void> {
  const hold = (await app.pauses.all(workflow)).find(({ cause }) => cause === 'operator');
  if (hold === undefined) return;
  throw new NightmillError(
    'usage',
    `The workflow ${workflow} is paused: ${hold.reason} To resume: nightmill resume ${workflow}`,
  );
}
