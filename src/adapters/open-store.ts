import { fileURLToPath } from 'node:url';
import { NightmillError } from '../errors.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { FileStore } from './file-store/file-store.ts';
import { MemoryStore } from './memory-store/memory-store.ts';
import type { S3Settings } from './s3-store/s3-settings.ts';

/** `url` is `file:PATH` (relative to the working folder, or absolute), `s3://bucket/prefix` or `memory:`. */
export type StoreSettings = S3Settings;

/**
 * The store that `settings.url` names. Nothing is read, written or connected yet.
 *
 * @throws {NightmillError} `config_invalid` for any other URL
 */
export async function openStore(settings: StoreSettings): Promise<ObjectStore> {
  const { url } = settings;
  if (url === 'memory:') return new MemoryStore();
  if (url.startsWith('s3:')) {
    // The SDK takes a quarter of the start-up time and 27 MB, which whoever has a file store need not pay.
    const { S3Store } = await import('./s3-store/s3-store.ts');
    return new S3Store(settings);
  }
  if (url.startsWith('file:')) return new FileStore(pathOf(url));
  throw new NightmillError(
    'config_invalid',
    `Cannot use ${url} as a store: write file:PATH, s3://bucket/prefix or memory:.`,
  );
}

function pathOf(url: string): string {
  const path = url.startsWith('file://') ? filePathOf(url) : url.slice('file:'.length);
  if (path !== '') return path;
  throw new NightmillError('config_invalid', `Cannot use ${url} as a store: the path is missing, write file:PATH.`);
}

function filePathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new NightmillError(
      'config_invalid',
      `Cannot use ${url} as a store: a file URL has three slashes and an absolute path. Write file:///PATH or file:PATH.`,
      { cause },
    );
  }
}
