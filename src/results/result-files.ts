import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { BatchRecord, BatchRegistry } from '../batches/batch-registry.ts';
import { NightmillError } from '../errors.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { storeKeys } from '../store/store-keys.ts';

/** An object with rows as gzip JSONL; size and checksum are known once its batch has a manifest. */
export interface ResultFile {
  readonly key: string;
  readonly lines: number;
  readonly bytes?: number;
  readonly sha256?: string;
}

export interface ResultFiles {
  readonly results: readonly ResultFile[];
  readonly errors: readonly ResultFile[];
}

/**
 * Files of an ended batch, in input order.
 *
 * @throws {NightmillError} `results_damaged`: the manifest is missing
 */
export async function finalFiles(
  store: ObjectStore,
  batchId: string,
): Promise<ResultFiles & { readonly manifest: Uint8Array }> {
  const { bytes, files } = await readManifest(store, batchId);
  const isOutput = (file: ResultFile) => file.key.startsWith(`${storeKeys.batch(batchId)}output/`);
  return { results: files.filter(isOutput), errors: files.filter((file) => !isOutput(file)), manifest: bytes };
}

/** Files of what is committed so far, in input order. */
export async function committedFiles(batches: BatchRegistry, batch: BatchRecord): Promise<ResultFiles> {
  const results: ResultFile[] = [];
  const errors: ResultFile[] = [];
  for await (const commit of batches.commits(batch.batchId, batch.slices)) {
    if (commit?.results !== undefined) results.push(commit.results);
    if (commit?.errors !== undefined) errors.push(commit.errors);
  }
  return { results, errors };
}

async function readManifest(
  store: ObjectStore,
  batchId: string,
): Promise<{ readonly bytes: Uint8Array; readonly files: readonly Required<ResultFile>[] }> {
  const key = storeKeys.manifest(batchId);
  const bytes = await store.get(key);
  if (bytes === undefined) throw damaged(key, store, 'it is missing');
  const { files } = JSON.parse(Buffer.from(bytes).toString()) as { files: Required<ResultFile>[] };
  return { bytes, files };
}

/** @throws {NightmillError} `results_damaged`: it is missing */
export async function readManifestBytes(store: ObjectStore, batchId: string): Promise<Uint8Array> {
  return (await readManifest(store, batchId)).bytes;
}

/** A page of a batch's digest. */
export interface DigestPage {
  readonly name: 'digest.md' | 'digest.html';
  readonly bytes: Uint8Array;
}

/**
 * The pages of a finished batch's digest; empty where it has none, or retention has removed them.
 *
 * @throws {NightmillError} `results_damaged`: one differs from the manifest
 */
export async function digestPages(store: ObjectStore, batchId: string): Promise<readonly DigestPage[]> {
  const { digest } = JSON.parse(Buffer.from(await readManifestBytes(store, batchId)).toString()) as {
    readonly digest?: { readonly files: readonly { readonly key: string; readonly sha256: string }[] };
  };
  return await Promise.all(
    (digest?.files ?? []).map(async ({ key, sha256 }) => {
      const bytes = await store.get(key);
      if (bytes === undefined) throw damaged(key, store, 'it is missing');
      const found = createHash('sha256').update(bytes).digest('hex');
      if (found !== sha256) throw damaged(key, store, `its sha256 is ${found}, not ${sha256}`);
      return { name: key.endsWith('.md') ? 'digest.md' : 'digest.html', bytes } as const;
    }),
  );
}

/** Keys of a finished batch's files, the manifest first. */
export async function outputKeys(store: ObjectStore, batchId: string): Promise<readonly string[]> {
  const { files } = await readManifest(store, batchId);
  return [storeKeys.manifest(batchId), ...files.map((file) => file.key)];
}

/**
 * The rows of files one after another, unpacked.
 *
 * @throws {NightmillError} `results_damaged` at the end of a file that differs from its manifest
 */
export async function* unpackFiles(
  store: ObjectStore,
  files: readonly ResultFile[],
): AsyncGenerator<Buffer, void, undefined> {
  for (const file of files) {
    const body = await store.getStream(file.key);
    if (body === undefined) throw damaged(file.key, store, 'it is missing');
    const unpacked = createGunzip();
    const feeding = pipeline(body, checkedBytes(file, store), unpacked).catch((error: unknown) => {
      unpacked.destroy(error as Error);
    });
    let found = 0;
    for await (const chunk of unpacked as AsyncIterable<Buffer>) {
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) found += 1;
      yield chunk;
    }
    await feeding;
    if (found !== file.lines) throw damaged(file.key, store, `it has ${found} lines, not ${file.lines}`);
  }
}

/** Passes bytes on and fails at their end where they are not the manifest's. */
function checkedBytes(file: ResultFile, store: ObjectStore): Transform {
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

function damaged(key: string, store: ObjectStore, what: string): NightmillError {
  return new NightmillError(
    'results_damaged',
    `Cannot trust the results: ${key} in ${store.url} differs from the manifest (${what}). Nothing was written; restore the object or run the batch again.`,
  );
}
