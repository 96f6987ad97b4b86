import { lstat, mkdir, open, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '../../runtime/make-folder.ts';
import { type FileOperation, isSystemError, symbolicLinkError } from './file-store-error.ts';

/** Each batch has a handful; those in use are found again at once. */
const MAX_KNOWN_FOLDERS = 1_000;

/**
 * The real path of a folder inside the store, or undefined where there is none. `segments` are those of a checked
 * key, so only a symbolic link could lead outside; one on the way is an error. (The root itself may be a link.)
 *
 * @throws {StoreError} `store_denied` for a symbolic link below the root
 */
export async function findFolder(segments: readonly string[], operation: FileOperation): Promise<string | undefined> {
  try {
    const folder = join(await operation.realRoot(), ...segments);
    if ((await realpath(folder)) !== folder) throw symbolicLinkError(folder, operation);
    if (operation.knownFolders.size >= MAX_KNOWN_FOLDERS) operation.knownFolders.clear();
    operation.knownFolders.add(folder);
    return folder;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** As `findFolder`, without another look at a folder that was found before: it may be missing by now. */
export async function recallFolder(segments: readonly string[], operation: FileOperation): Promise<string | undefined> {
  if (operation.knownFolders.size > 0) {
    const folder = join(await operation.realRoot(), ...segments);
    if (operation.knownFolders.has(folder)) return folder;
  }
  return await findFolder(segments, operation);
}

/** As `findFolder`, and creates what is missing so that it survives a power cut. */
export async function ensureFolder(segments: readonly string[], operation: FileOperation): Promise<string> {
  const existing = await recallFolder(segments, operation);
  if (existing !== undefined) return existing;
  // On the disk below it, what is written would be out of sight as soon as the right one is mounted again.
  await operation.assertRoot();
  makeFolder(operation.root);
  let folder = await operation.realRoot();
  for (const segment of segments) {
    folder = join(folder, segment);
    await ensureOneFolder(folder, operation);
  }
  return folder;
}

/** Makes renames and new entries of a folder survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function ensureOneFolder(folder: string, operation: FileOperation): Promise<void> {
  try {
    await mkdir(folder);
    await syncFolder(dirname(folder));
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw error;
    const found = await lstat(folder);
    if (found.isSymbolicLink()) throw symbolicLinkError(folder, operation, error);
    if (!found.isDirectory()) throw error;
  }
}
