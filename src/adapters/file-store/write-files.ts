import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { settleAll } from '../../runtime/settle-all.ts';
import { TEMPORARY_FOLDER } from '../../store/object-key.ts';
import { type FileOperation, isSystemError } from './file-store-error.ts';
import { ensureFolder, syncFolder } from './store-folder.ts';

/** Someone may remove a folder between its creation and the first file in it. */
const MAX_ATTEMPTS = 100;

/**
 * Writes temporary files, syncs them to disk together, renames them into place in their order and syncs their folders. Syncing
 * costs most of a small file, and file systems keep the order of renames in one folder through a power cut.
 *
 * @param keys checked
 * @param fills one for each key
 */
export async function writeFiles(
  keys: readonly string[],
  fills: readonly ((file: FileHandle) => Promise<void>)[],
  operation: FileOperation,
  onTemporaryFolder: (folder: string) => void,
): Promise<void> {
  const temporaryFiles: string[] = [];
  const write = async (fill: (file: FileHandle) => Promise<void>, index: number): Promise<void> => {
    const { file, path } = await openTemporary(operation, onTemporaryFolder);
    temporaryFiles[index] = path;
    await fillDurably(file, fill);
  };
  try {
    await settleAll(fills.map(write));
    const folders = new Set<string>();
    for (const [index, key] of keys.entries()) folders.add(await moveInto(temporaryFiles[index] ?? '', key, operation));
    for (const folder of folders) await syncIfPresent(folder);
  } catch (error) {
    for (const path of temporaryFiles) if (path !== undefined) await rm(path, { force: true });
    throw error;
  }
}

async function openTemporary(
  operation: FileOperation,
  onTemporaryFolder: (folder: string) => void,
): Promise<{ readonly file: FileHandle; readonly path: string }> {
  for (let attempt = 1; ; attempt += 1) {
    const folder = await ensureFolder([TEMPORARY_FOLDER], operation);
    onTemporaryFolder(folder);
    const path = join(folder, randomUUID());
    try {
      return { file: await open(path, 'wx'), path };
    } catch (error) {
      forgetMissing(folder, error, attempt, operation);
    }
  }
}

async function fillDurably(file: FileHandle, fill: (file: FileHandle) => Promise<void>): Promise<void> {
  try {
    await fill(file);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** @returns the folder */
async function moveInto(temporaryFile: string, key: string, operation: FileOperation): Promise<string> {
  const segments = key.split('/');
  for (let attempt = 1; ; attempt += 1) {
    const folder = await ensureFolder(segments.slice(0, -1), operation).catch((error: unknown) => {
      if (!isSystemError(error, 'ENOENT') || attempt === MAX_ATTEMPTS) throw error;
    });
    if (folder === undefined) continue;
    try {
      await rename(temporaryFile, join(folder, segments.at(-1) ?? ''));
      return folder;
    } catch (error) {
      forgetMissing(folder, error, attempt, operation);
    }
  }
}

/** @throws the error, unless it says that the folder is missing */
function forgetMissing(folder: string, error: unknown, attempt: number, { knownFolders }: FileOperation): void {
  if (!isSystemError(error, 'ENOENT') || attempt === MAX_ATTEMPTS) throw error;
  knownFolders.delete(folder);
}

/** Someone may have removed the new object already, and its folder with it; then nothing is left to sync. */
async function syncIfPresent(folder: string): Promise<void> {
  try {
    await syncFolder(folder);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
  }
}
