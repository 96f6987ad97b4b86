import type { App } from '../app.ts';
import type { BatchRecord } from '../batches/batch-registry.ts';
import { hasManifest } from '../batches/batch-states.ts';
import type { BatchStatus } from '../batches/batch-status.ts';
import { NightmillError } from '../errors.ts';
import {
  type Downloaded,
  downloadPartial,
  downloadResults,
  refuseOtherBatch,
  writePages,
} from '../results/download-results.ts';
import {
  committedFiles,
  type DigestPage,
  digestPages,
  finalFiles,
  outputKeys,
  type ResultFile,
  readManifestBytes,
  unpackFiles,
} from '../results/result-files.ts';
import type { TableFormat } from '../results/table-format.ts';
import { splitLines } from '../text/split-lines.ts';
import { readStatus, requireBatch } from './read-status.ts';

const LINK_SECONDS = 3600;

export interface DownloadOperation {
  readonly batchId: string;
  readonly folder: string;
  /** What is done so far will do. */
  readonly partial?: boolean;
  /** Replaces another batch's results in the folder. */
  readonly force?: boolean;
  readonly tables?: readonly TableFormat[];
}

/**
 * Downloads a batch's rows, and its manifest where it has ended, into a folder; every file is verified.
 *
 * @throws {NightmillError} `batch_unknown`, `batch_state`: not ended, `usage`: the folder has another batch's results
 */
export async function downloadBatch(
  app: App,
  { batchId, folder, partial = false, force = false, tables = [] }: DownloadOperation,
): Promise<Downloaded & { readonly status: BatchStatus; readonly isPartial: boolean }> {
  const status = await readStatus(app, batchId);
  const batch = await requireRows(app, batchId);
  // While it is being asked again, its results are those of before.
  const ended = hasManifest(batch.state);
  if (!ended && !partial) throw notEnded(status, 'Wait for its end, or use --partial.');
  if (!force) await refuseOtherBatch(folder, batchId);
  const downloaded = ended
    ? await downloadResults(app.store, batchId, folder, tables)
    : await downloadPartial(app.store, app.batches, batch, folder, tables);
  return { ...downloaded, status, isPartial: !ended };
}

/**
 * The pages of a batch's digest.
 *
 * @throws {NightmillError} `batch_unknown`; `batch_state`: not ended, or there is none
 */
export async function readDigest(app: App, batchId: string): Promise<readonly DigestPage[]> {
  const batch = await requireRows(app, batchId);
  if (!hasManifest(batch.state)) throw notEnded(await readStatus(app, batchId), 'Its digest is written at the end.');
  const pages = await digestPages(app.store, batchId);
  if (pages.length > 0) return pages;
  throw new NightmillError(
    'batch_state',
    `${batchId} has no digest: the workflow ${batch.workflow} had no digest: { maxWords } when it was submitted, or it is a retry.`,
  );
}

/** Writes them into a folder that is there. @returns their names. Errors as {@link readDigest}. */
export async function downloadDigest(app: App, batchId: string, folder: string): Promise<readonly string[]> {
  const pages = await readDigest(app, batchId);
  await writePages(folder, pages);
  return pages.map(({ name }) => name);
}

export interface ResultLinks {
  readonly status: BatchStatus;
  readonly expiresInSeconds: number;
  readonly links: readonly { readonly key: string; readonly url: string }[];
}

/** @throws {NightmillError} `batch_unknown`; `batch_state`: not ended; `usage`: the store has no links */
export async function linkResults(app: App, batchId: string): Promise<ResultLinks> {
  const status = await readStatus(app, batchId);
  const { state } = await requireRows(app, batchId);
  if (!hasManifest(state)) throw notEnded(status, 'Links are for ended batches.');
  const links: { key: string; url: string }[] = [];
  for (const key of await outputKeys(app.store, batchId)) {
    const url = await app.store.downloadUrl(key, LINK_SECONDS);
    if (url === undefined) {
      throw new NightmillError('usage', 'The store has no presigned links, which S3 has: ask for the rows themselves.');
    }
    links.push({ key, url });
  }
  return { status, expiresInSeconds: LINK_SECONDS, links };
}

export type RowKind = 'results' | 'errors';

/**
 * Where a batch's rows stand in the store, in input order.
 *
 * @throws {NightmillError} `batch_unknown`; `batch_state`: not ended, unless `partial`
 */
export async function rowFiles(
  app: App,
  batchId: string,
  kind: RowKind,
  { partial = false }: { readonly partial?: boolean } = {},
): Promise<readonly ResultFile[]> {
  const batch = await requireRows(app, batchId);
  if (hasManifest(batch.state)) return (await finalFiles(app.store, batchId))[kind];
  if (!partial) throw notEnded(await readStatus(app, batchId), 'Wait for its end, or ask for partial results.');
  return (await committedFiles(app.batches, batch))[kind];
}

/** Rows as parsed JSON, in input order, in bounded memory. Errors as {@link rowFiles}, and `results_damaged`. */
export async function* readRows(
  app: App,
  batchId: string,
  kind: RowKind,
  options: { readonly partial?: boolean } = {},
): AsyncGenerator<unknown, void, undefined> {
  yield* readFileRows(app, await rowFiles(app, batchId, kind, options));
}

/** Rows of these files, as {@link readRows} gives them. */
export async function* readFileRows(
  app: Pick<App, 'store'>,
  files: readonly ResultFile[],
): AsyncGenerator<unknown, void, undefined> {
  for await (const lines of splitLines(unpackFiles(app.store, files), Number.POSITIVE_INFINITY)) {
    for (const raw of lines) if ('bytes' in raw) yield JSON.parse(Buffer.from(raw.bytes).toString('utf8'));
  }
}

/** `manifest.json` as it stands in the store. Errors as {@link rowFiles}. */
export async function readManifest(app: App, batchId: string): Promise<Uint8Array> {
  const { state } = await requireBatch(app, batchId);
  if (!hasManifest(state)) throw notEnded(await readStatus(app, batchId), 'Its manifest is written at the end.');
  return await readManifestBytes(app.store, batchId);
}

/** @throws {NightmillError} `batch_unknown`; `batch_state`: retention has removed its rows */
async function requireRows(app: App, batchId: string): Promise<BatchRecord> {
  const batch = await requireBatch(app, batchId);
  if (batch.removed?.includes('results') !== true) return batch;
  throw new NightmillError(
    'batch_state',
    `The rows of ${batchId} are gone: retention.results of the config has removed them. Its manifest is there: nightmill status ${batchId}`,
  );
}

function notEnded({ batchId, state, documents }: BatchStatus, advice: string): NightmillError {
  return new NightmillError(
    'batch_state',
    `${batchId} is ${state}: ${documents.done} of ${documents.total} documents are done. ${advice}`,
  );
}
