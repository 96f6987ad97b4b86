import type { Command } from 'commander';
import { NightmillError } from '../../errors.ts';
import { downloadPartial, downloadResults } from '../../pipeline/download-results.ts';
import { exitCodeOf, readStatus, unknownBatch } from '../wait-for-batch.ts';
import { print, withApp } from '../with-app.ts';

const WITH_MANIFEST: ReadonlySet<string> = new Set(['completed', 'cancelled', 'expired']);

export function addResultsCommand(program: Command): void {
  const command = program
    .command('results')
    .description('download and verify results.jsonl, errors.jsonl and manifest.json')
    .argument('<batch>', 'batch id')
    .requiredOption('-o, --output <folder>', 'where the files go')
    .option('--partial', 'download what is done so far, without a manifest')
    .action(async (batchId: string, flags: { output: string; partial?: boolean }) => {
      process.exitCode = await withApp(command, async (app, options) => {
        const status = await readStatus(app, batchId);
        const ended = WITH_MANIFEST.has(status.state);
        if (!ended && flags.partial !== true) {
          throw new NightmillError(
            'usage',
            `${batchId} is ${status.state}: ${status.documents.done} of ${status.documents.total} documents are done. ` +
              'Wait for its end, or use --partial.',
          );
        }
        const batch = await app.batches.get(batchId);
        if (batch === undefined) throw unknownBatch(batchId);
        const downloaded = ended
          ? await downloadResults(app.store, batchId, flags.output)
          : await downloadPartial(app.store, app.batches, batch, flags.output);
        const { folder, results, errors } = downloaded;
        print(
          options,
          { id: batchId, state: status.state, output: folder, results, errors, partial: !ended },
          () =>
            `${folder}/results.jsonl  ${results.toLocaleString('en')} lines\n` +
            `${folder}/errors.jsonl  ${errors.toLocaleString('en')} lines\n` +
            (ended ? `${folder}/manifest.json  verified\n` : `partial: ${batchId} is ${status.state}\n`),
        );
        return ended ? exitCodeOf(status) : 0;
      });
    });
}
