import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { App } from '../../app.ts';
import type { FileRecord } from '../../compat/openai-records.ts';
import { storeKeys } from '../../store/store-keys.ts';

/** Longer than any upload takes. */
const ABANDONED_AFTER_MS = 24 * 3_600_000;

/** Streams the content of a file into the store. What fails leaves nothing behind, nor for long what dies. */
export async function storeContent(
  { store, openai, clock }: Pick<App, 'store' | 'openai' | 'clock'>,
  fileId: string,
  body: AsyncIterable<Uint8Array>,
): Promise<Pick<FileRecord, 'bytes' | 'sha256'>> {
  const hash = createHash('sha256');
  let bytes = 0;
  async function* measured(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of body) {
      hash.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  }
  await openai.noteUpload(fileId, clock.now());
  await store.putStream(storeKeys.fileContent(fileId), Readable.from(measured(), { objectMode: false }));
  return { bytes, sha256: hash.digest('hex') };
}

/** @returns undefined where the file has expired or never was */
export async function findFile(app: Pick<App, 'openai' | 'clock'>, id: string): Promise<FileRecord | undefined> {
  const file = await app.openai.getFile(id);
  return file === undefined || hasExpired(file, app.clock.now()) ? undefined : file;
}

export function hasExpired({ expiresAt }: FileRecord, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

/** The record first: a file without a record is nobody's, a record without content would be a lie. */
export async function removeFile({ openai, store }: Pick<App, 'openai' | 'store'>, id: string): Promise<void> {
  await openai.removeFile(id);
  await store.delete([storeKeys.fileContent(id)]);
}

/** Content whose upload was begun long ago and never became a file: its server has died. */
export async function removeAbandonedUploads({
  openai,
  store,
  clock,
}: Pick<App, 'openai' | 'store' | 'clock'>): Promise<void> {
  for (const id of await openai.abandonedUploads(clock.now() - ABANDONED_AFTER_MS)) {
    if ((await openai.getFile(id)) === undefined) await store.delete([storeKeys.fileContent(id)]);
    await openai.forgetUpload(id);
  }
}

export async function removeExpiredFiles(app: Pick<App, 'openai' | 'store' | 'clock'>): Promise<void> {
  for await (const file of app.openai.scanFiles({ newestFirst: false })) {
    if (hasExpired(file, app.clock.now())) await removeFile(app, file.id);
  }
}

/** The same chunks, until the signal ends them with its reason. */
export async function* untilAborted<T>(
  chunks: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  for await (const chunk of chunks) {
    signal.throwIfAborted();
    yield chunk;
  }
}
