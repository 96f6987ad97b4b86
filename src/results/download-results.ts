import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { BatchRecord, BatchRegistry } from '../batches/batch-registry.ts';
import { NightmillError } from '../errors.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { storeKeys } from '../store/store-keys.ts';
import { isRecord, parseJson } from '../text/json-value.ts';
import { splitLines } from '../text/split-lines.ts';
import { type Cell, ERROR_COLUMNS, errorCells, RESULT_COLUMNS, resultCells } from './result-table.ts';
import type { TableFormat } from './table-format.ts';

export interface Downloaded {
  readonly folder: string;
  readonly results: number;
  readonly errors: number;
  readonly bytes: number;
}

interface DownloadFile {
  readonly key: string;
  readonly lines: number;
  readonly bytes?: number;
  readonly sha256?: string;
}

/**
 * Downloads a finished batch: `manifest.json`, `results.jsonl` (in input order) and `errors.jsonl`. Every file is
 * checked against the manifest before it takes its name, so a folder never holds a half or a damaged download.
 *
 * @param tables formats in which `results` and `errors` are written beside that
 * @throws {NightmillError} `results_damaged` where a file differs from the manifest
 */
export async function downloadResults(
  store: ObjectStore,
  batchId: string,
  folder: string,
  tables: readonly TableFormat[] = [],
): Promise<Downloaded> {
  const { bytes, files } = await readManifest(store, batchId);
  const isOutput = (file: DownloadFile) => file.key.startsWith(`${storeKeys.batch(batchId)}output/`);
  return await writeFolder(store, folder, {
    results: files.filter(isOutput),
    errors: files.filter((file) => !isOutput(file)),
    manifest: bytes,
    tables,
  });
}

async function readManifest(
  store: ObjectStore,
  batchId: string,
): Promise<{ readonly bytes: Uint8Array; readonly files: readonly Required<DownloadFile>[] }> {
  const key = storeKeys.manifest(batchId);
  const bytes = await store.get(key);
  if (bytes === undefined) throw damaged(key, store, 'it is missing');
  const { files } = JSON.parse(Buffer.from(bytes).toString()) as { files: Required<DownloadFile>[] };
  return { bytes, files };
}

/** Keys of a finished batch's files, the manifest first. */
export async function outputKeys(store: ObjectStore, batchId: string): Promise<readonly string[]> {
  const { files } = await readManifest(store, batchId);
  return [storeKeys.manifest(batchId), ...files.map((file) => file.key)];
}

/** Downloads what is committed so far, in input order, without a manifest. */
export async function downloadPartial(
  store: ObjectStore,
  batches: BatchRegistry,
  batch: BatchRecord,
  folder: string,
  tables: readonly TableFormat[] = [],
): Promise<Downloaded> {
  const results: DownloadFile[] = [];
  const errors: DownloadFile[] = [];
  for await (const commit of batches.commits(batch.batchId, batch.slices)) {
    if (commit?.results !== undefined) results.push(commit.results);
    if (commit?.errors !== undefined) errors.push(commit.errors);
  }
  return await writeFolder(store, folder, { results, errors, tables });
}

/**
 * Makes the folder for the results, before anything is paid for.
 *
 * @throws {NightmillError} `usage` where something is in the way
 */
export async function prepareFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw asFolderError(error, folder);
  }
}

/**
 * Looks whether the folder has another batch's results.
 *
 * @throws {NightmillError} `usage` where it does
 */
export async function refuseOtherBatch(folder: string, batchId: string): Promise<void> {
  const manifest = await readFile(join(folder, 'manifest.json'), 'utf8').catch(() => undefined);
  const other = manifest === undefined ? undefined : parseJson(manifest);
  if (!isRecord(other) || typeof other.batch !== 'string' || other.batch === batchId) return;
  throw new NightmillError(
    'usage',
    `${folder} has the results of batch ${other.batch}, which ${batchId} would replace. Name another folder with -o, or use --force.`,
  );
}

async function writeFolder(
  store: ObjectStore,
  folder: string,
  files: {
    results: readonly DownloadFile[];
    errors: readonly DownloadFile[];
    manifest?: Uint8Array;
    tables: readonly TableFormat[];
  },
): Promise<Downloaded> {
  const unfinished = join(folder, `.download-${randomUUID()}`);
  try {
    await mkdir(unfinished, { recursive: true });
    const results = await concatenate(store, files.results, join(unfinished, 'results.jsonl'));
    const errors = await concatenate(store, files.errors, join(unfinished, 'errors.jsonl'));
    if (files.manifest !== undefined) await writeBytes(files.manifest, join(unfinished, 'manifest.json'));
    const tables: string[] = [];
    for (const table of files.tables) tables.push(...(await writeTables(unfinished, table)));
    const rest = files.manifest === undefined ? [] : ['manifest.json'];
    const names = ['results.jsonl', 'errors.jsonl', ...tables, ...rest];
    for (const name of names) await rename(join(unfinished, name), join(folder, name));
    return { folder, results: results.lines, errors: errors.lines, bytes: results.bytes + errors.bytes };
  } catch (error) {
    throw asFolderError(error, folder);
  } finally {
    // What went wrong before says more than what goes wrong here.
    await rm(unfinished, { recursive: true, force: true }).catch(() => {});
  }
}

/** Writes tables of the files that were just checked; returns their names. */
async function writeTables(folder: string, { extension, write }: TableFormat): Promise<readonly string[]> {
  const cells = (name: string, read: (line: string) => readonly Cell[]) => readCells(join(folder, name), read);
  const names = [`results.${extension}`, `errors.${extension}`] as const;
  await write(join(folder, names[0]), RESULT_COLUMNS, cells('results.jsonl', resultCells));
  await write(join(folder, names[1]), ERROR_COLUMNS, cells('errors.jsonl', errorCells));
  return names;
}

async function* readCells(path: string, read: (line: string) => readonly Cell[]) {
  for await (const lines of splitLines(createReadStream(path), Number.POSITIVE_INFINITY)) {
    for (const raw of lines) if ('bytes' in raw) yield read(Buffer.from(raw.bytes).toString('utf8'));
  }
}

async function concatenate(
  store: ObjectStore,
  files: readonly DownloadFile[],
  path: string,
): Promise<{ lines: number; bytes: number }> {
  let lines = 0;
  let bytes = 0;
  const output = createWriteStream(path, { flush: true });
  async function* contents() {
    for (const file of files) {
      const body = await store.getStream(file.key);
      if (body === undefined) throw damaged(file.key, store, 'it is missing');
      const check = checkedBytes(file, store);
      let found = 0;
      const unpacked = createGunzip();
      const feeding = pipeline(body, check, unpacked).catch((error: unknown) => {
        unpacked.destroy(error as Error);
      });
      for await (const chunk of unpacked as AsyncIterable<Buffer>) {
        for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) found += 1;
        bytes += chunk.length;
        yield chunk;
      }
      await feeding;
      if (found !== file.lines) throw damaged(file.key, store, `it has ${found} lines, not ${file.lines}`);
      lines += found;
    }
  }
  await pipeline(contents(), output);
  return { lines, bytes };
}

/** Passes bytes on and fails at their end where they are not the manifest's. */
function checkedBytes(file: DownloadFile, store: ObjectStore): Transform {
  const hash = createHash('sha256');
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      hash.update(chunk);
      bytes += chunk.length;
      callback(null, chunk);
    },
    flush(callback) {
      const sha256 = hash.digest('hex');
      if (file.bytes !== undefined && bytes !== file.bytes) {
        callback(damaged(file.key, store, `it has ${bytes} bytes, not ${file.bytes}`));
      } else if (file.sha256 !== undefined && sha256 !== file.sha256) {
        callback(damaged(file.key, store, `its sha256 is ${sha256}, not ${file.sha256}`));
      } else callback();
    },
  });
}

async function writeBytes(bytes: Uint8Array, path: string): Promise<void> {
  await pipeline([bytes], createWriteStream(path, { flush: true }));
}

function damaged(key: string, store: ObjectStore, what: string): NightmillError {
  return new NightmillError(
    'results_damaged',
    `Cannot trust the results: ${key} in ${store.url} differs from the manifest (${what}). Nothing was written; restore the object or run the batch again.`,
  );
}

function asFolderError(error: unknown, folder: string): unknown {
  const code = (error as { code?: unknown }).code;
  if (error instanceof NightmillError || typeof code !== 'string') return error;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new NightmillError(
      'store_full',
      `Cannot write the results to ${folder}: the disk is full. Make room or choose another folder with -o.`,
      { cause: error },
    );
  }
  if (code.startsWith('Z_')) {
    return new NightmillError(
      'results_damaged',
      `Cannot unpack the results: ${(error as Error).message}. Nothing was written.`,
      { cause: error },
    );
  }
  return new NightmillError(
    'usage',
    `Cannot write the results to ${folder}: ${(error as Error).message}. Choose another folder with -o.`,
    { cause: error },
  );
}
