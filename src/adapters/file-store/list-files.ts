import type { Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { compareKeys, TEMPORARY_FOLDER } from '../../store/object-key.ts';
import type { ObjectInfo } from '../../store/object-store.ts';
import { describeFile } from './describe-file.ts';
import { isSystemError } from './file-store-error.ts';

/**
 * Regular files below `root` whose key starts with `prefix`, in ascending byte order of key. Holds the names of one
 * folder per level in memory, never the tree. `folderKey` is where to begin: `''` or ending in `/`. Symbolic links
 * and other special files are no objects; what vanishes meanwhile is left out.
 */
export async function* listFiles(root: string, folderKey: string, prefix: string): AsyncGenerator<ObjectInfo> {
  for (const { key, isFolder } of await readFolder(root, folderKey)) {
    if (isFolder) {
      if (key.startsWith(prefix) || prefix.startsWith(key)) yield* listFiles(root, key, prefix);
    } else if (key.startsWith(prefix)) {
      const info = await describeIfPresent(root, key);
      if (info !== undefined) yield info;
    }
  }
}

interface FolderEntry {
  /** Ends in `/` for a folder, which makes the order of entries the order of all keys below them. */
  readonly key: string;
  readonly isFolder: boolean;
}

async function readFolder(root: string, folderKey: string): Promise<readonly FolderEntry[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(join(root, folderKey), { withFileTypes: true });
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
  return entries
    .filter((entry) => entry.isFile() || (entry.isDirectory() && folderKey + entry.name !== TEMPORARY_FOLDER))
    .map((entry) => {
      const isFolder = entry.isDirectory();
      return { key: `${folderKey}${entry.name}${isFolder ? '/' : ''}`, isFolder };
    })
    .sort((a, b) => compareKeys(a.key, b.key));
}

async function describeIfPresent(root: string, key: string): Promise<ObjectInfo | undefined> {
  try {
    return describeFile(key, await lstat(join(root, key), { bigint: true }));
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
