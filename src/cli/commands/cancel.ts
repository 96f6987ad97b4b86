import type { Command } from 'commander';
import { cancelBatch } from '../cancel-batch.ts';
import { statusJson, statusLines } from '../format-status.ts';
import { readStatus, unknownBatch } from '../wait-for-batch.ts';
import { print, withApp } from '../with-app.ts';

const ENDED: ReadonlySet<string> = new Set(['completed', 'cancelled', 'expired', 'failed']);

export function addCancelCommand(program: Command): void {
  const command = program
    .command('cancel')
    .description('end a batch now; finished and paid work is kept, the rest becomes error rows')
    .argument('<batch>', 'batch id')
    .action(async (batchId: string) => {
      process.exitCode = await withApp(command, async (app, options) => {
        const batch = await app.batches.get(batchId);
        if (batch === undefined) throw unknownBatch(batchId);
        if (batch.state === 'ingesting') {
          await app.batches.forget(batchId);
        } else if (!ENDED.has(batch.state)) {
          await app.lease.start();
          try {
            await cancelBatch(app, batch);
          } finally {
            await app.lease.stop();
          }
        }
        if (batch.state === 'ingesting') {
          print(options, { id: batchId, state: 'cancelled' }, () => `${batchId}  cancelled before it was submitted\n`);
          return 0;
        }
        const status = await readStatus(app, batchId);
        print(options, statusJson(status), () => statusLines(status));
        return 0;
      });
    });
}
