import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { compareByteOrder } from '../text/compare-byte-order.ts';
import { kindOfName, type ReadableKind } from './document-input.ts';
import { asInputError } from './open-input.ts';

/** One thing in a folder. `name` is its path in the folder, with forward slashes. */
export type FolderItem =
  | (ReadableKind & { readonly kind: 'document'; readonly name: string; readonly path: string })
  | { readonly kind: 'ignored'; readonly name: string }
  /** Looks like a document, but must not or cannot be read. */
  | { readonly kind: 'unusable'; readonly name: string; readonly path: string; readonly reason: string };

/**
 * Walks a folder in byte order of names; only the listing of the folders on the way is in memory. Hidden files and
 * folders (`.git`, `._copy.txt`) are ignored. Links to documents inside the folder are followed. Links to folders are not,
 * as they may go in circles.
 *
 * @throws {NightmillError} `input_invalid`: a folder cannot be listed
 */
export async function* listFolder(root: string): AsyncGenerator<FolderItem, void, undefined> {
  const realRoot = await realpath(root).catch((error: unknown) => {
    throw asInputError(error, root);
  });
  yield* walk(root, '', realRoot);
}

async function* walk(folder: string, prefix: string, realRoot: string): AsyncGenerator<FolderItem, void, undefined> {
  const found = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw asInputError(error, folder);
  });
  // A folder's own files sort as if its name ended with a slash.
  const items = found.map((item) => ({ item, key: item.isDirectory() ? `${item.name}/` : item.name }));
  items.sort((a, b) => compareByteOrder(a.key, b.key));
  for (const { item } of items) {
    const name = `${prefix}${item.name}`;
    const path = join(folder, item.name);
    if (item.name.startsWith('.')) yield { kind: 'ignored', name };
    else if (item.isDirectory()) yield* walk(path, `${name}/`, realRoot);
    else if (item.isSymbolicLink()) yield await followLink(path, name, realRoot);
    else if (!item.isFile()) yield { kind: 'ignored', name };
    else yield documentOrIgnored(name, path);
  }
}

async function followLink(path: string, name: string, realRoot: string): Promise<FolderItem> {
  let target: string;
  try {
    target = await realpath(path);
  } catch {
    return { kind: 'unusable', name, path, reason: 'it is a link to something that does not exist, or to itself' };
  }
  const root = realRoot.endsWith(sep) ? realRoot : realRoot + sep;
  if (target !== realRoot && !target.startsWith(root)) {
    return { kind: 'unusable', name, path, reason: `it is a link that leaves the folder, to ${target}` };
  }
  return (await stat(target)).isFile() ? documentOrIgnored(name, target) : { kind: 'ignored', name };
}

function documentOrIgnored(name: string, path: string): FolderItem {
  const { content, ...rest } = kindOfName(name);
  if (content === 'other') return { kind: 'ignored', name };
  if (name.includes('\ufffd')) return { kind: 'unusable', name, path, reason: 'its name is not UTF-8' };
  return { kind: 'document', content, ...rest, name, path };
}
