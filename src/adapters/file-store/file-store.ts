import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, realpath, rm, rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { StoreError } from '../../errors.ts';
import { assertKeyStaysInside, assertObjectKey, TEMPORARY_FOLDER } from '../../store/object-key.ts';
import type { JoinedObject, ObjectBody, ObjectInfo, ObjectStore } from '../../store/object-store.ts';
import { checkRange } from '../check-range.ts';
import { CheckedDownload } from '../checked-download.ts';
import { WatchedBody } from '../watched-body.ts';
import { describeFile } from './describe-file.ts';
import {
  type FileOperation,
  fileStoreError,
  isSystemError,
  lostRootError,
  symbolicLinkError,
} from './file-store-error.ts';
import { joinFiles, type OpenFile, readInto } from './join-files.ts';
import { listFiles } from './list-files.ts';
import { removeStaleFiles } from './remove-stale-files.ts';
import { findFolder, recallFolder } from './store-folder.ts';
import { writeFiles } from './write-files.ts';

/** Not following links keeps reads inside the store; not blocking keeps a pipe placed there from hanging them. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Objects as files below one folder, created at the first write. A write goes to a temporary file in
 * `.nightmill-tmp`, is synced to disk and renamed into place, so it is atomic and survives a power cut. Unlike in S3,
 * `a` and `a/b` cannot both exist. Symbolic links inside the folder are never followed; who can write to the folder
 * while the store works on it is trusted.
 */
export class FileStore implements ObjectStore {
  readonly url: string;
  readonly #root: string;
  #realRoot: string | undefined;
  readonly #knownFolders = new Set<string>();
  #staleFilesRemoved: Promise<void> | undefined;

  /** @param root path of the folder; relative to the working folder */
  constructor(root: string) {
    this.#root = resolve(root);
    this.url = `file:${this.#root}`;
  }

  async put(key: string, body: Uint8Array): Promise<void> {
    await this.putAll([{ key, body }]);
  }

  async putAll(objects: readonly ObjectBody[]): Promise<void> {
    const keys = objects.map(({ key }) => key);
    await this.#write(
      keys,
      objects.map(
        ({ body }) =>
          (file: FileHandle) =>
            file.writeFile(body),
      ),
    );
  }

  async putStream(key: string, body: Readable): Promise<void> {
    const watched = new WatchedBody(body);
    try {
      await this.#write([key], [(file) => file.writeFile(watched.stream)]);
    } catch (error) {
      watched.rethrowFailure();
      throw error;
    }
  }

  async putJoined(key: string, sources: readonly string[]): Promise<JoinedObject> {
    let joined: JoinedObject | undefined;
    const operation = this.#operation(`write ${key}`);
    await this.#write(
      [key],
      [
        async (file) => {
          joined = await joinFiles(file, sources, this.url, (source) => openFile(source, operation));
        },
      ],
    );
    return joined as JoinedObject;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return await this.#attempt(`read ${key}`, async (operation) => {
      await using file = await openFile(key, operation);
      return file === undefined ? undefined : await readBytes(file.handle, 0, file.info.bytes);
    });
  }

  async getStream(key: string): Promise<Readable | undefined> {
    return await this.#attempt(`read ${key}`, async (operation) => {
      const file = await openFile(key, operation);
      if (file === undefined) return undefined;
      return new CheckedDownload(file.handle.createReadStream(), {
        expectedBytes: file.info.bytes,
        describeFailure: (error) => readFailure(error, operation),
      });
    });
  }

  async getRange(key: string, start: number, end: number): Promise<Uint8Array | undefined> {
    return await this.#attempt(`read ${key}`, async (operation) => {
      await using file = await openFile(key, operation);
      if (file === undefined) return undefined;
      return checkRange(await readBytes(file.handle, start, end), key, start, end, this.url);
    });
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    return await this.#attempt(`read ${key}`, async (operation) => {
      await using file = await openFile(key, operation);
      return file?.info;
    });
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    const operation = this.#operation(`list ${prefix === '' ? 'the keys' : prefix}`);
    if (prefix !== '') assertKeyStaysInside(prefix);
    const folderKey = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    const segments = folderKey.split('/').slice(0, -1);
    if (!nameFiles(segments)) return;
    try {
      const folder = await findFolder(segments, operation);
      if (folder === undefined) await operation.assertRoot();
      else yield* listFiles(await operation.realRoot(), folderKey, prefix);
    } catch (error) {
      throw fileStoreError(error, operation);
    }
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) assertKeyStaysInside(key);
    for (const key of keys) {
      await this.#attempt(`remove ${key}`, (operation) => removeFile(key, operation));
    }
  }

  async downloadUrl(_key: string, _seconds: number): Promise<undefined> {
    return undefined;
  }

  async close(): Promise<void> {
    await this.#staleFilesRemoved;
  }

  async #write(keys: readonly string[], fills: readonly ((file: FileHandle) => Promise<void>)[]): Promise<void> {
    for (const key of keys) assertObjectKey(key);
    await this.#attempt(`write ${keys.join(' and ')}`, async (operation) => {
      await writeFiles(keys, fills, operation, (temporaryFolder) => {
        this.#staleFilesRemoved ??= removeStaleFiles(temporaryFolder, Date.now());
      });
    });
  }

  #operation(action: string): FileOperation {
    const root = this.#root;
    const realRoot = async (): Promise<string> => {
      if (this.#realRoot !== undefined) return this.#realRoot;
      const real = await realpath(root);
      if (!(await isFolder(real))) throw lostRootError({ action, root }, 'store_denied', 'it is a file, not a folder');
      this.#realRoot = real;
      return real;
    };
    const assertRoot = async (): Promise<void> => {
      if (this.#realRoot === undefined || (await isFolder(this.#realRoot))) return;
      throw lostRootError({ action, root }, 'store_unavailable', 'its folder was there before and is gone');
    };
    return { action, root, realRoot, knownFolders: this.#knownFolders, assertRoot };
  }

  async #attempt<T>(action: string, work: (operation: FileOperation) => Promise<T>): Promise<T> {
    const operation = this.#operation(action);
    try {
      return await work(operation);
    } catch (error) {
      throw fileStoreError(error, operation);
    }
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await lookAt(path))?.isDirectory() === true;
}

/** Fewer where the file ends before `end`. */
async function readBytes(file: FileHandle, start: number, end: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - start);
  return bytes.subarray(0, await readInto(file, bytes, start));
}

async function openFile(key: string, operation: FileOperation): Promise<OpenFile | undefined> {
  assertKeyStaysInside(key);
  const path = await findPath(key, operation);
  const handle = path === undefined ? undefined : await openForReading(path, operation);
  if (handle === undefined) {
    await operation.assertRoot();
    return undefined;
  }
  const stats = await handle.stat({ bigint: true });
  if (!stats.isFile()) {
    await handle.close();
    return undefined;
  }
  return { handle, info: describeFile(key, stats), [Symbol.asyncDispose]: () => handle.close() };
}

async function openForReading(path: string, operation: FileOperation): Promise<FileHandle | undefined> {
  try {
    return await open(path, READ_FLAGS);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ENXIO')) return undefined;
    if (isSystemError(error, 'ELOOP')) throw symbolicLinkError(path, operation, error);
    throw error;
  }
}

async function removeFile(key: string, operation: FileOperation): Promise<void> {
  const path = await findPath(key, operation);
  const stats = path === undefined ? undefined : await lookAt(path);
  if (path === undefined || stats === undefined) return await operation.assertRoot();
  if (!stats.isFile()) return;
  await rm(path, { force: true });
  await removeEmptyFolders(dirname(path), key.split('/').length - 1);
}

async function lookAt(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG')) return undefined;
    throw error;
  }
}

/** As in S3, a folder exists only as long as it holds objects. Stops at the first one that is not empty. */
async function removeEmptyFolders(folder: string, levels: number): Promise<void> {
  let current = folder;
  for (let level = 0; level < levels; level += 1) {
    try {
      await rmdir(current);
    } catch {
      return;
    }
    current = dirname(current);
  }
}

async function findPath(key: string, operation: FileOperation): Promise<string | undefined> {
  const segments = key.split('/');
  if (!nameFiles(segments)) return undefined;
  const folder = await recallFolder(segments.slice(0, -1), operation);
  return folder === undefined ? undefined : join(folder, segments.at(-1) ?? '');
}

/** `a/` and `a//b` name no object of this store, but the file system would take them for `a` and `a/b`. */
function nameFiles(segments: readonly string[]): boolean {
  return !segments.includes('') && segments[0] !== TEMPORARY_FOLDER;
}

function readFailure(error: unknown, operation: FileOperation): Error {
  const described = fileStoreError(error, operation);
  if (described instanceof StoreError) return described;
  const reason = error instanceof Error ? error.message : String(error);
  return new StoreError(
    'store_unavailable',
    `Cannot ${operation.action} in the store file:${operation.root}: ${reason}.`,
    {
      cause: error,
    },
  );
}
