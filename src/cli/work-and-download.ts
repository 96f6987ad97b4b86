import { join } from 'node:path';
import type { App } from '../app.ts';
import type { BatchStatus } from '../batches/batch-status.ts';
import { resumeBatch, resumeWorkflow } from '../budgets/breaker.ts';
import { runMaintenance } from '../budgets/housekeeping.ts';
import { ERROR_CODES } from '../errors.ts';
import { isSatOut } from '../ledger/pause.ts';
import { formatUsd } from '../money/money.ts';
import { addPower } from '../operations/figures/batch-models.ts';
import { keepServers } from '../operations/keep-house.ts';
import { exitCodeOf, readStatus } from '../operations/read-status.ts';
import { statusJson } from '../operations/status-json.ts';
import { type Downloaded, downloadResults } from '../results/download-results.ts';
import { startWorker } from '../worker/start-worker.ts';
import type { StopSignals } from '../worker/stop-signals.ts';
import { statusLines } from './format-status.ts';
import { readFormats } from './result-formats.ts';
import { sampleLines } from './run-samples.ts';
import { screen } from './screen.ts';
import { waitForBatch } from './wait-for-batch.ts';
import { announcer, type GlobalOptions, hidesProgress, print } from './with-app.ts';

export interface WorkAndDownload {
  readonly workflow: string;
  /** What is worked on. */
  readonly batchId: string;
  /** Whose results are downloaded; another one where a retry is worked on. */
  readonly shown: string;
  readonly output: string;
  readonly format: string;
  readonly stop: Pick<StopSignals, 'first' | 'second'>;
}

/**
 * Works in this process until a batch has ended, is held, or a signal comes.
 *
 * @throws what makes work here hopeless, e.g. a store that is gone
 */
export async function workUntilEnd(
  app: App,
  options: GlobalOptions,
  { workflow, batchId, stop }: Pick<WorkAndDownload, 'workflow' | 'batchId' | 'stop'>,
): Promise<Awaited<ReturnType<typeof waitForBatch>>> {
  const hopeless = new AbortController();
  const worker = await startWorker(app, [workflow], (error) => hopeless.abort(error));
  const ended = new AbortController();
  const servers = keepServers(app, ended.signal);
  stop.second.addEventListener('abort', () => void worker.stop({ force: true }));
  const waited = await waitForBatch(app, batchId, {
    signal: AbortSignal.any([stop.first, hopeless.signal]),
    quiet: hidesProgress(options),
    // What is in flight still settles; a pause by an operator is waited out.
    isHeld: ({ breaker: { hold } }) =>
      hold !== undefined &&
      !isSatOut(hold, app.clock.now(), app.config.worker.longestWaitMs) &&
      app.slices.runs.size === 0,
  });
  await worker.stop({ force: stop.second.aborted });
  ended.abort();
  await servers;
  if (waited.end !== 'ended') hopeless.signal.throwIfAborted();
  return waited;
}

/** Works in this process until a batch has ended, then downloads the results. Returns the exit code. */
export async function workAndDownload(app: App, options: GlobalOptions, job: WorkAndDownload): Promise<number> {
  const { workflow, batchId, shown } = job;
  const tables = await readFormats(job.format);
  await resumeIfAllowed(app, workflow, batchId);
  const { end, status } = await workUntilEnd(app, options, job);
  if (end === 'interrupted') {
    announcer(options)(
      `${batchId} is kept. The same command resumes where it stopped; nothing that was paid for is bought twice.`,
    );
    return ERROR_CODES.interrupted.exit;
  }
  if (end === 'held') return reportHeld(options, status);
  const downloaded = await downloadResults(app.store, shown, job.output, tables);
  const final = await addPower(app, shown === batchId ? status : await readStatus(app, shown));
  print(options, { ...statusJson(final), output: downloaded.folder }, () => summary(final, downloaded));
  if (screen.isTerminal && !hidesProgress(options)) {
    for (const line of await sampleLines(join(downloaded.folder, 'results.jsonl'), process.stderr)) screen.line(line);
  }
  return exitCodeOf(final);
}

/** A new run is a new try: what was paused for a provider continues, and so does what a raised limit allows. */
async function resumeIfAllowed(app: App, workflow: string, batchId: string): Promise<void> {
  await runMaintenance(app.housekeeping);
  const again = 'a new run tries again';
  for (const pause of await app.pauses.all(workflow)) {
    if (pause.cause === 'provider') await resumeWorkflow(app.breaker, workflow, again, pause);
  }
  for (const pause of (await app.batches.get(batchId))?.pauses ?? []) {
    if (pause.cause === 'provider') await resumeBatch(app.breaker, batchId, again, pause);
  }
}

function reportHeld(options: GlobalOptions, status: BatchStatus): number {
  const budget = status.breaker.hold?.cause === 'budget';
  // A provider is only tried again by itself while a worker lives, and this one ends.
  const { hold: _, ...breaker } = status.breaker;
  print(options, statusJson(status), () => statusLines(budget ? status : { ...status, breaker }));
  // Why it stopped is a result, also where remarks are not wanted.
  screen.line(`nightmill: stopped by ${budget ? 'the budget' : 'the provider'}: ${status.breaker.hold?.reason ?? ''}`);
  announcer(options)(
    `nothing is lost. ${budget ? 'With a higher limit' : 'Once that is fixed'} the same command resumes where it stopped; ` +
      `nightmill results ${status.batchId} -o FOLDER --partial downloads what is done.`,
  );
  return budget ? 3 : 1;
}

function summary(status: BatchStatus, downloaded: Downloaded): string {
  return (
    statusLines(status) +
    `  files      ${downloaded.folder}/results.jsonl (${downloaded.results.toLocaleString('en')} lines), ` +
    `errors.jsonl (${downloaded.errors.toLocaleString('en')}), manifest.json; verified, ${formatUsd(status.spent)}${status.power === undefined ? '' : ' of calls'} in all\n`
  );
}
