import type { Command } from 'commander';
import { cancelBatch } from '../../operations/end-batches.ts';
import { readStatus } from '../../operations/read-status.ts';
import { statusJson } from '../../operations/status-json.ts';
import { statusLines } from '../format-status.ts';
import { print, withApp } from '../with-app.ts';

export function addCancelCommand(program: Command): void {
  const command = program
    .command('cancel')
    .description('end a batch now; finished and paid work is kept, the rest becomes error rows')
    .argument('<batch>', 'batch id')
    .action(async (batchId: string) => {
      await withApp(command, async (app, options) => {
        if (!(await cancelBatch(app, batchId))) {
          print(options, { id: batchId, state: 'cancelled' }, () => `${batchId}  cancelled before it was submitted\n`);
          return;
        }
        const status = await readStatus(app, batchId);
        print(options, statusJson(status), () => statusLines(status));
      });
      process.exitCode = 0;
    });
}
