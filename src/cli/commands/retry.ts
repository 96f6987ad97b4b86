import type { Command } from 'commander';
import type { App } from '../../app.ts';
import { ERROR_CODES } from '../../errors.ts';
import { exitCodeOf, readStatus } from '../../operations/read-status.ts';
import { type RetryAnswer, retryBatch } from '../../operations/retry-batch.ts';
import { statusJson } from '../../operations/status-json.ts';
import { readBudget } from '../../operations/submit-values.ts';
import { listenForStop } from '../../worker/stop-signals.ts';
import { statusLines } from '../format-status.ts';
import { FORMAT_OPTION } from '../result-formats.ts';
import { waitForBatch } from '../wait-for-batch.ts';
import { announcer, type GlobalOptions, hidesProgress, print, withApp } from '../with-app.ts';
import { workAndDownload } from '../work-and-download.ts';

interface RetryFlags {
  readonly code?: readonly string[];
  readonly status?: readonly string[];
  readonly budget?: string;
  readonly wait?: boolean;
  readonly output?: string;
  readonly format: string;
}

export function addRetryCommand(program: Command): void {
  const command = program
    .command('retry')
    .description("ask the documents of a batch's error rows again; what comes of it takes their place in its results")
    .argument('<batch>', 'id of a batch that has ended')
    .option('--code <code...>', 'only error rows with these codes')
    .option('--status <status...>', 'only error rows with these statuses: failed, cancelled, expired (default: all)')
    .option('--budget <usd>', "most that it may cost (default: what the batch's own limit leaves)")
    .option('--wait', 'wait until workers have done it')
    .option('-o, --output <folder>', "do it in this process, as run does, and download the batch's results")
    .option(...FORMAT_OPTION)
    .action(async (batchId: string, flags: RetryFlags) => {
      const missingSecrets = flags.output === undefined ? 'leave' : 'refuse';
      process.exitCode = await withApp(command, (app, options) => retry(app, options, batchId, flags), {
        missingSecrets,
      });
    });
}

async function retry(app: App, options: GlobalOptions, batchId: string, flags: RetryFlags): Promise<number> {
  const announce = announcer(options);
  using stop = listenForStop(announce);
  const answer = await retryBatch(app, {
    batchId,
    codes: flags.code,
    statuses: flags.status,
    budget: readBudget(flags.budget),
    signal: stop.first,
  });
  announce(describe(answer));
  if (flags.output !== undefined) {
    const target = { workflow: answer.batch.workflow, batchId: answer.batchId, shown: batchId };
    return await workAndDownload(app, options, { ...target, output: flags.output, format: flags.format, stop });
  }
  if (flags.wait !== true) {
    print(options, statusJson(await readStatus(app, answer.batchId)), () => `${answer.batchId}\n`);
    return 0;
  }
  const { end } = await waitForBatch(app, answer.batchId, {
    signal: stop.first,
    quiet: hidesProgress(options),
    isHeld: ({ breaker, held }) => breaker.hold?.cause === 'budget' && held === 0,
  });
  const status = await readStatus(app, end === 'ended' ? batchId : answer.batchId);
  print(options, statusJson(status), () => statusLines(status));
  if (end === 'interrupted') return ERROR_CODES.interrupted.exit;
  return end === 'held' ? 3 : exitCodeOf(status);
}

function describe({ kind, batchId, batch, retryOf }: RetryAnswer): string {
  const count = batch.documents.toLocaleString('en');
  return kind === 'joined'
    ? `${retryOf} is being asked again already, as ${batchId}`
    : `${count} documents of ${retryOf} are asked again, as ${batchId}`;
}
