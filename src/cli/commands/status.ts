import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { App } from '../../app.ts';
import type { BatchStatus } from '../../batches/batch-status.ts';
import { configChecks } from '../../operations/cluster-findings.ts';
import { readStatusAndModels } from '../../operations/figures/batch-models.ts';
import { listStatuses, type StatusFilter } from '../../operations/read-status.ts';
import { statusJson } from '../../operations/status-json.ts';
import { configHash } from '../../worker/config-hash.ts';
import { listenForStop } from '../../worker/stop-signals.ts';
import { statusLines } from '../format-status.ts';
import { addFilterOptions, type FilterFlags, readFilter } from '../status-filter.ts';
import { DEFAULT_SIZE, watchFrame } from '../watch-frame.ts';
import { announcer, type GlobalOptions, print, withApp } from '../with-app.ts';

const BATCHES_LISTED = 20;
const WATCH_EVERY_MS = 1_000;
const CLEAR_SCREEN = '\u001b[2J';
const TO_TOP = '\u001b[H';
const CLEAR_TO_END_OF_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

export function addStatusCommand(program: Command): void {
  const command = program
    .command('status')
    .description('state, progress, money and, if it paused, why')
    .argument('[batch]', `a batch id; without one, the last ${BATCHES_LISTED} batches`)
    .option('--watch', 'show it again every second until interrupted');
  addFilterOptions(command).action(async (batchId: string | undefined, flags: FilterFlags & { watch?: boolean }) => {
    const filter = readFilter(flags, BATCHES_LISTED);
    await withApp(command, async (app, options) => {
      if (flags.watch !== true) {
        await show(app, options, batchId, filter);
        return await tellOtherConfigs(app, options);
      }
      using stop = listenForStop(() => {});
      const onScreen = process.stdout.isTTY && options.json !== true;
      if (onScreen) process.stdout.write(CLEAR_SCREEN);
      while (!stop.first.aborted) {
        if (onScreen) drawFrame(await read(app, batchId, filter));
        else await show(app, options, batchId, filter);
        await delay(WATCH_EVERY_MS, undefined, { signal: stop.first }).catch(() => {});
      }
    });
  });
}

/** What a batch does depends on the config of the worker that takes it. */
async function tellOtherConfigs(app: App, options: GlobalOptions): Promise<void> {
  const found = configChecks({ workers: await app.workers.live(), configHash: configHash(app.config) });
  for (const { name, detail } of found) announcer(options)(`${name}: ${detail}.`);
}

/** Drawn over the one before, line by line, so that nothing flickers. */
function drawFrame(statuses: readonly BatchStatus[]): void {
  const { rows = DEFAULT_SIZE.rows, columns = DEFAULT_SIZE.columns } = process.stdout;
  const lines = watchFrame(statuses, { rows, columns }).map((line) => `${line}${CLEAR_TO_END_OF_LINE}\n`);
  process.stdout.write(`${TO_TOP}${lines.join('')}${CLEAR_BELOW}`);
}

async function read(app: App, batchId: string | undefined, filter: StatusFilter): Promise<readonly BatchStatus[]> {
  return batchId === undefined ? await listStatuses(app, filter) : [await readStatusAndModels(app, batchId)];
}

async function show(
  app: App,
  options: GlobalOptions,
  batchId: string | undefined,
  filter: StatusFilter,
): Promise<void> {
  if (batchId !== undefined) {
    const status = await readStatusAndModels(app, batchId);
    print(options, statusJson(status), () => statusLines(status));
    return;
  }
  const statuses = await listStatuses(app, filter);
  print(options, statuses.map(statusJson), () =>
    statuses.length === 0
      ? 'No batches yet. nightmill submit INPUT -w WORKFLOW makes one.\n'
      : statuses.map(statusLines).join('\n'),
  );
}
