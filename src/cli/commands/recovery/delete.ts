import type { Command } from 'commander';
import { type Deleted, deleteBatch, keepBatch } from '../../../operations/recovery/delete-batch.ts';
import { print, withApp } from '../../with-app.ts';

export function addDeleteCommand(program: Command): void {
  const command = program
    .command('delete')
    .description(
      'remove an ended batch: its documents, rows and manifest, from store and Redis; its money stays booked',
    )
    .argument('<batch>', 'batch id')
    .action(async (batchId: string) => {
      await withApp(command, async (app, options) => {
        const deleted = await deleteBatch(app, batchId);
        print(options, deleted, () => deletedText(batchId, deleted));
      });
    });
}

export function addKeepCommand(program: Command): void {
  const command = program
    .command('keep')
    .description('keep a batch whatever retention says, and refuse to delete it')
    .argument('<batch>', 'batch id')
    .option('--off', 'no longer')
    .action(async (batchId: string, { off = false }: { off?: boolean }) => {
      await withApp(command, async (app, options) => {
        const changed = await keepBatch(app, batchId, !off);
        print(options, { id: batchId, kept: !off, changed }, () =>
          off
            ? `${batchId}  is kept as long as retention says\n`
            : `${batchId}  is kept until: nightmill keep ${batchId} --off\n`,
        );
      });
    });
}

function deletedText(batchId: string, { batches, objects, goldenLines, disk, mayRemain }: Deleted): string {
  const others = batches.filter((id) => id !== batchId);
  const also = others.length === 0 ? '' : ` and its retries ${others.join(', ')}`;
  return [
    `${batchId}${also}  deleted: ${objects} objects of the store, and what Redis knew (its files: ${disk}).`,
    ...(goldenLines === 0
      ? []
      : [`  ${goldenLines} of them were lines of golden sets, which people had made of its documents.`]),
    'Its documents may still be in:',
    ...mayRemain.map((line) => `  ${line}`),
    '',
  ].join('\n');
}
