import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { BatchRecord, BatchRegistry } from '../batches/batch-registry.ts';
import { NightmillError } from '../errors.ts';
import { makeFolder } from '../runtime/make-folder.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { isRecord, parseJson } from '../text/json-value.ts';
import {
  committedFiles,
  type DigestPage,
  finalFiles,
  type ResultFile,
  type ResultFiles,
  unpackFiles,
} from './result-files.ts';
import type { ResultTable } from './result-table.ts';
import { type TableFormat, writeTable } from './table-format.ts';
import { tableOf, tableRows } from './table-rows.ts';

export interface Downloaded {
  readonly folder: string;
  readonly results: number;
  readonly errors: number;
  readonly bytes: number;
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
  return await writeFolder(store, folder, { ...(await finalFiles(store, batchId)), batchId, tables });
}

/** Downloads what is committed so far, in input order, without a manifest. */
export async function downloadPartial(
  store: ObjectStore,
  batches: BatchRegistry,
  batch: BatchRecord,
  folder: string,
  tables: readonly TableFormat[] = [],
): Promise<Downloaded> {
  return await writeFolder(store, folder, {
    ...(await committedFiles(batches, batch)),
    batchId: batch.batchId,
    tables,
  });
}

/**
 * Makes the folder for the results, before anything is paid for.
 *
 * @throws {NightmillError} `usage` where something is in the way
 */
export async function prepareFolder(folder: string): Promise<void> {
  try {
    makeFolder(folder);
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
  files: ResultFiles & {
    readonly batchId: string;
    readonly manifest?: Uint8Array;
    readonly tables: readonly TableFormat[];
  },
): Promise<Downloaded> {
  const unfinished = join(folder, `.download-${randomUUID()}`);
  try {
    makeFolder(unfinished);
    const results = await concatenate(store, files.results, join(unfinished, 'results.jsonl'));
    const errors = await concatenate(store, files.errors, join(unfinished, 'errors.jsonl'));
    if (files.manifest !== undefined) await writeBytes(files.manifest, join(unfinished, 'manifest.json'));
    const tables: string[] = [];
    if (files.tables.length > 0) {
      const { batchId } = files;
      const both = {
        results: await tableOf(store, batchId, 'results'),
        errors: await tableOf(store, batchId, 'errors'),
      };
      for (const format of files.tables) tables.push(...(await writeTables(unfinished, format, both)));
    }
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

/** Writes pages beside downloaded rows. @throws {NightmillError} `usage`, `store_full` */
export async function writePages(folder: string, pages: readonly DigestPage[]): Promise<void> {
  try {
    for (const { name, bytes } of pages) await writeBytes(bytes, join(folder, name));
  } catch (error) {
    throw asFolderError(error, folder);
  }
}

/** Writes tables of the files that were just checked; returns their names. */
async function writeTables(
  folder: string,
  format: TableFormat,
  tables: Readonly<Record<'results' | 'errors', ResultTable>>,
): Promise<readonly string[]> {
  const names: string[] = [];
  for (const kind of ['results', 'errors'] as const) {
    const name = `${kind}.${format.extension}`;
    const rows = tableRows(tables[kind], createReadStream(join(folder, `${kind}.jsonl`)));
    await writeTable(join(folder, name), format, { columns: tables[kind].columns, rows });
    names.push(name);
  }
  return names;
}

async function concatenate(
  store: ObjectStore,
  files: readonly ResultFile[],
  path: string,
): Promise<{ lines: number; bytes: number }> {
  let bytes = 0;
  async function* contents() {
    for await (const chunk of unpackFiles(store, files)) {
      bytes += chunk.length;
      yield chunk;
    }
  }
  await pipeline(contents(), createWriteStream(path, { flush: true }));
  return { lines: files.reduce((sum, file) => sum + file.lines, 0), bytes };
}

async function writeBytes(bytes: Uint8Array, path: string): Promise<void> {
  await pipeline([bytes], createWriteStream(path, { flush: true }));
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
