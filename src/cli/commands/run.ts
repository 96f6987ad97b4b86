import type { Command } from 'commander';
import type { App } from '../../app.ts';
import type { BatchStatus } from '../../batches/batch-status.ts';
import { releaseWorkflow, unparkBatch } from '../../budgets/breaker.ts';
import { keepHouse } from '../../budgets/housekeeping.ts';
import { NightmillError } from '../../errors.ts';
import type { Pause } from '../../ledger/pause.ts';
import { formatUsd } from '../../money/money.ts';
import { type Downloaded, downloadResults, prepareFolder, refuseOtherBatch } from '../../results/download-results.ts';
import { startWorker } from '../../worker/start-worker.ts';
import { stateLimits } from '../../worker/state-limits.ts';
import { listenForStop } from '../../worker/stop-signals.ts';
import { statusJson, statusLines } from '../format-status.ts';
import { INPUT_ARGUMENT } from '../input-options.ts';
import { FORMAT_OPTION, readFormats } from '../result-formats.ts';
import { type SubmitFlags, submitInputs } from '../submit-inputs.ts';
import { exitCodeOf, readStatus, waitForBatch } from '../wait-for-batch.ts';
import { type GlobalOptions, print, withApp } from '../with-app.ts';
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
    process.exitCode = await withApp(command, (app, options) => run(app, options, inputs, flags), 'warn', 'refuse');
  });
}

async function run(app: App, options: GlobalOptions, inputs: readonly string[], flags: RunFlags): Promise<number> {
  const announce = (line: string) => process.stderr.write(`nightmill: ${line}\n`);
  using stop = listenForStop(announce);
  const tables = await readFormats(flags.format);
  await refusePaused(app, flags.workflow);
  await prepareFolder(flags.output);
  await stateLimits(app, 'replace');
  const submitted = await submitInputs(app, inputs, flags, stop.first);
  const { batchId } = submitted;
  if (flags.force !== true) await refuseOtherBatch(flags.output, batchId);
  announce(describeSubmitted(submitted.kind, await readStatus(app, batchId)));
  await goOnWhereItMay(app, flags.workflow, batchId);
  const hopeless = new AbortController();
  const worker = await startWorker(app, [flags.workflow], (error) => hopeless.abort(error));
  stop.second.addEventListener('abort', () => void worker.stop({ force: true }));
  const { end, status } = await waitForBatch(app, batchId, {
    signal: AbortSignal.any([stop.first, hopeless.signal]),
    quiet: options.json === true,
    // What is in flight still settles; a pause by an operator is waited out.
    isHeld: ({ breaker: { hold } }) => endsRun(hold, app.clock.now()) && app.slices.runs.size === 0,
  });
  await worker.stop({ force: stop.second.aborted });
  if (end !== 'ended') hopeless.signal.throwIfAborted();
  if (end === 'interrupted') {
    announce(
      `${batchId} is kept. The same command again goes on where it stopped; nothing that was paid for is bought twice.`,
    );
    return 1;
  }
  if (end === 'held') return reportHeld(options, status);
  const downloaded = await downloadResults(app.store, batchId, flags.output, tables);
  print(options, { ...statusJson(status), output: downloaded.folder }, () => summary(status, downloaded));
  return exitCodeOf(status);
}

function describeSubmitted(kind: 'submitted' | 'joined', { batchId, documents, state }: BatchStatus): string {
  const what = `${documents.total.toLocaleString('en')} documents as ${batchId}`;
  if (kind === 'submitted') return `submitted ${what}`;
  return state === 'completed'
    ? `${what} were done before, so nothing is done again (--id NAME makes a new batch of them)`
    : `${what} were submitted before and are ${state}: going on`;
}

/** Longest wait that a provider may ask a run to sit out. */
const MAX_WAIT_MS = 15 * 60_000;

/** A pause by an operator is waited out, and so is a wait that the provider has named, unless it is a long one. */
function endsRun(pause: Pause | undefined, now: number): boolean {
  if (pause === undefined || pause.cause === 'operator') return false;
  return pause.retryAt === undefined || pause.retryAt - now > MAX_WAIT_MS;
}

/** Asked before anything is stored: a refused command leaves nothing behind. */
async function refusePaused(app: App, workflow: string): Promise<void> {
  const hold = await app.holds.get(workflow);
  if (hold?.cause !== 'operator') return;
  throw new NightmillError(
    'usage',
    `The workflow ${workflow} is paused: ${hold.reason} To go on: nightmill resume ${workflow}`,
  );
}

/** A new run is a new try: what was paused for a provider goes on, and so does what a raised limit allows. */
async function goOnWhereItMay(app: App, workflow: string, batchId: string): Promise<void> {
  await keepHouse(app.housekeeping);
  const hold = await app.holds.get(workflow);
  if (hold?.cause === 'provider') await releaseWorkflow(app.breaker, workflow, 'a new run tries again');
  const batch = await app.batches.get(batchId);
  if (batch?.parked?.cause === 'provider') await unparkBatch(app.breaker, batchId, 'a new run tries again');
}

function reportHeld(options: GlobalOptions, status: BatchStatus): number {
  const budget = status.breaker.hold?.cause === 'budget';
  // A provider is only tried again by itself while a worker lives, and this one ends.
  const { hold: _, ...breaker } = status.breaker;
  print(options, statusJson(status), () => statusLines(budget ? status : { ...status, breaker }));
  process.stderr.write(
    `nightmill: stopped by ${budget ? 'the budget' : 'the provider'}: ${status.breaker.hold?.reason ?? ''}\n` +
      `nightmill: nothing is lost. ${budget ? 'With a higher limit' : 'When that is mended'} the same command goes on where it stopped; ` +
      `nightmill results ${status.batchId} -o FOLDER --partial downloads what is done.\n`,
  );
  return budget ? 3 : 1;
}

function summary(status: BatchStatus, downloaded: Downloaded): string {
  return (
    statusLines(status) +
    `  files      ${downloaded.folder}/results.jsonl (${downloaded.results.toLocaleString('en')} lines), ` +
    `errors.jsonl (${downloaded.errors.toLocaleString('en')}), manifest.json; verified, ${formatUsd(status.spent)} in all\n`
  );
}
