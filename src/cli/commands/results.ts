import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { App } from '../../app.ts';
import { NightmillError } from '../../errors.ts';
import { exitCodeOf } from '../../operations/read-status.ts';
import { downloadBatch, downloadDigest, linkResults, readManifest } from '../../operations/results.ts';
import { FORMAT_OPTION, readFormats } from '../result-formats.ts';
import { type GlobalOptions, print, withApp } from '../with-app.ts';

interface ResultsFlags {
  readonly output?: string;
  readonly partial?: boolean;
  readonly force?: boolean;
  readonly links?: boolean;
  readonly manifest?: boolean;
  readonly digest?: boolean;
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
    .option('--digest', 'download digest.md and digest.html as well')
    .option('--manifest', 'instead, print the manifest, or with -o download it alone')
    .option('--links', 'instead, print links to the files that work for an hour without credentials (S3 only)')
    .action(async (batchId: string, flags: ResultsFlags) => {
      process.exitCode = await withApp(command, async (app, options) => {
        if (flags.links === true) return await printLinks(app, options, batchId);
        if (flags.manifest === true) return await giveManifest(app, batchId, flags.output);
        if (flags.output === undefined) {
          throw new NightmillError(
            'usage',
            'Name a folder for the files with -o FOLDER, or use --links or --manifest.',
          );
        }
        return await download(app, options, batchId, { ...flags, output: flags.output });
      });
    });
}

async function giveManifest(app: App, batchId: string, folder: string | undefined): Promise<number> {
  const manifest = await readManifest(app, batchId);
  if (folder === undefined) {
    process.stdout.write(manifest);
    return 0;
  }
  const file = join(folder, 'manifest.json');
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(file, manifest);
  } catch (cause) {
    throw new NightmillError('usage', `Cannot write ${file}: ${(cause as Error).message}`, { cause });
  }
  process.stdout.write(`${file}\n`);
  return 0;
}

async function download(
  app: App,
  options: GlobalOptions,
  batchId: string,
  { output, partial = false, force = false, format, digest = false }: ResultsFlags & { readonly output: string },
): Promise<number> {
  const tables = await readFormats(format);
  const downloaded = await downloadBatch(app, { batchId, folder: output, partial, force, tables });
  const pages = digest ? await downloadDigest(app, batchId, output) : [];
  const { folder, results, errors, status, isPartial } = downloaded;
  print(
    options,
    {
      ...{ id: batchId, state: status.state, output: folder, results, errors, partial: isPartial },
      ...(digest ? { digest: pages } : {}),
    },
    () =>
      `${folder}/results.jsonl  ${results.toLocaleString('en')} lines\n` +
      `${folder}/errors.jsonl  ${errors.toLocaleString('en')} lines\n` +
      tables.map(({ extension }) => `${folder}/results.${extension}, errors.${extension}\n`).join('') +
      pages.map((name) => `${folder}/${name}\n`).join('') +
      (isPartial ? `partial: ${batchId} is ${status.state}\n` : `${folder}/manifest.json  verified\n`),
  );
  return isPartial ? 0 : exitCodeOf(status);
}

async function printLinks(app: App, options: GlobalOptions, batchId: string): Promise<number> {
  const { status, expiresInSeconds, links } = await linkResults(app, batchId);
  print(options, { id: batchId, expiresInSeconds, links }, () =>
    links.map(({ key, url }) => `${key}\n  ${url}\n`).join(''),
  );
  return exitCodeOf(status);
}
