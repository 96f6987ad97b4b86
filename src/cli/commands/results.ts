import type { Command } from 'commander';
import type { App } from '../../app.ts';
import type { BatchStatus } from '../../batches/batch-status.ts';
import { NightmillError } from '../../errors.ts';
import { downloadPartial, downloadResults, outputKeys, refuseOtherBatch } from '../../results/download-results.ts';
import { FORMAT_OPTION, readFormats } from '../result-formats.ts';
import { exitCodeOf, readStatus, unknownBatch } from '../wait-for-batch.ts';
import { type GlobalOptions, print, withApp } from '../with-app.ts';

const WITH_MANIFEST: ReadonlySet<string> = new Set(['completed', 'cancelled', 'expired']);
const LINK_SECONDS = 3600;

interface ResultsFlags {
  readonly output?: string;
  readonly partial?: boolean;
  readonly force?: boolean;
  readonly links?: boolean;
  readonly format: string;
}

export function addResultsCommand(program: Command): void {
  const command = program
    .command('results')
    .description('download and verify results.jsonl, errors.jsonl and manifest.json')
    .argument('<batch>', 'batch id')
    .option('-o, --output <folder>', 'where the files go')
    .option(...FORMAT_OPTION)
    .option('--force', "replace another batch's results in that folder")
    .option('--partial', 'download what is done so far, without a manifest')
    .option('--links', 'instead, print links to the files that work for an hour without credentials (S3 only)')
    .action(async (batchId: string, flags: ResultsFlags) => {
      process.exitCode = await withApp(command, async (app, options) => {
        const status = await readStatus(app, batchId);
        if (flags.links === true) return await printLinks(app, options, status);
        if (flags.output === undefined) {
          throw new NightmillError('usage', 'Name a folder for the files with -o FOLDER, or use --links.');
        }
        return await download(app, options, status, { ...flags, output: flags.output });
      });
    });
}

async function download(
  app: App,
  options: GlobalOptions,
  status: BatchStatus,
  { output, partial = false, force = false, format }: ResultsFlags & { readonly output: string },
): Promise<number> {
  const { batchId } = status;
  const tables = await readFormats(format);
  const ended = WITH_MANIFEST.has(status.state);
  if (!ended && !partial) throw notEnded(status, 'Wait for its end, or use --partial.');
  const batch = await app.batches.get(batchId);
  if (batch === undefined) throw unknownBatch(batchId);
  if (!force) await refuseOtherBatch(output, batchId);
  const { folder, results, errors } = ended
    ? await downloadResults(app.store, batchId, output, tables)
    : await downloadPartial(app.store, app.batches, batch, output, tables);
  print(
    options,
    { id: batchId, state: status.state, output: folder, results, errors, partial: !ended },
    () =>
      `${folder}/results.jsonl  ${results.toLocaleString('en')} lines\n` +
      `${folder}/errors.jsonl  ${errors.toLocaleString('en')} lines\n` +
      tables.map(({ extension }) => `${folder}/results.${extension}, errors.${extension}\n`).join('') +
      (ended ? `${folder}/manifest.json  verified\n` : `partial: ${batchId} is ${status.state}\n`),
  );
  return ended ? exitCodeOf(status) : 0;
}

async function printLinks(app: App, options: GlobalOptions, status: BatchStatus): Promise<number> {
  if (!WITH_MANIFEST.has(status.state)) throw notEnded(status, 'Links are for ended batches.');
  const links: { key: string; url: string }[] = [];
  for (const key of await outputKeys(app.store, status.batchId)) {
    const url = await app.store.downloadUrl(key, LINK_SECONDS);
    if (url === undefined) {
      throw new NightmillError('usage', `The store ${app.store.url} has no links; download with -o FOLDER.`);
    }
    links.push({ key, url });
  }
  print(options, { id: status.batchId, expiresInSeconds: LINK_SECONDS, links }, () =>
    links.map(({ key, url }) => `${key}\n  ${url}\n`).join(''),
  );
  return exitCodeOf(status);
}

function notEnded({ batchId, state, documents }: BatchStatus, advice: string): NightmillError {
  return new NightmillError(
    'usage',
    `${batchId} is ${state}: ${documents.done} of ${documents.total} documents are done. ${advice}`,
  );
}
