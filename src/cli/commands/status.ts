import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { App } from '../../app.ts';
import { readStatusAndModels } from '../../operations/batch-models.ts';
import { listStatuses, type StatusFilter } from '../../operations/read-status.ts';
import { statusJson } from '../../operations/status-json.ts';
import { listenForStop } from '../../worker/stop-signals.ts';
import { statusLines } from '../format-status.ts';
import { addFilterOptions, type FilterFlags, readFilter } from '../status-filter.ts';
import { type GlobalOptions, print, withApp } from '../with-app.ts';

const BATCHES_LISTED = 20;
const WATCH_EVERY_MS = 1_000;
const CLEAR_SCREEN = '\u001b[2J\u001b[H';

export function addStatusCommand(program: Command): void {
  const command = program
    .command('status')
    .description('state, progress, money and, if it paused, why')
    .argument('[batch]', `a batch id; without one, the last ${BATCHES_LISTED} batches`)
    .option('--watch', 'show it again every second until interrupted');
  addFilterOptions(command).action(async (batchId: string | undefined, flags: FilterFlags & { watch?: boolean }) => {
    const filter = readFilter(flags, BATCHES_LISTED);
    await withApp(command, async (app, options) => {
      if (flags.watch !== true) return await show(app, options, batchId, filter);
      using stop = listenForStop(() => {});
      while (!stop.first.aborted) {
        if (process.stdout.isTTY && options.json !== true) process.stdout.write(CLEAR_SCREEN);
        await show(app, options, batchId, filter);
        await delay(WATCH_EVERY_MS, undefined, { signal: stop.first }).catch(() => {});
      }
    });
  });
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
