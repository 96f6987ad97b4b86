import { StoreError } from '../../errors.ts';

/** What the store was doing: `Cannot <action>: …`, e.g. `write batches/a/manifest.json`. */
export interface FileOperation {
  readonly action: string;
  readonly root: string;
  /** The root without symbolic links, looked up once: every object would pay for it again. */
  readonly realRoot: () => Promise<string>;
  /** Folders found to lie inside the store, for the same reason. Whoever finds one missing takes it out. */
  readonly knownFolders: Set<string>;
  /** What is missing may be missing because the root is, once a disk is lost: throws where it was there before and is not now. */
  readonly assertRoot: () => Promise<void>;
}

/**
 * The error to throw for `error`: system errors become a `StoreError` that names the path, the cause and the fix;
 * anything else (a broken body, a bad key) stays as it is.
 */
export function fileStoreError(error: unknown, operation: FileOperation): unknown {
  if (!isSystemError(error)) return error;
  const path = error.path ?? operation.root;
  const failure = `Cannot ${operation.action} in the store file:${operation.root}`;
  switch (error.code) {
    case 'ENOSPC':
    case 'EDQUOT': {
      const reason = error.code === 'ENOSPC' ? 'the disk is full' : 'the disk quota is used up';
      const cure = 'Free some space there, or point `store` to a larger disk, then run the same command again';
      return new StoreError('store_full', `${failure}: ${reason} (${error.code} at ${path}). ${cure}.`, {
        cause: error,
      });
    }
    case 'EACCES':
    case 'EPERM':
    case 'EROFS': {
      const reason = error.code === 'EROFS' ? 'the disk is mounted read-only' : 'this user may not access the path';
      const cure = 'Give the user read and write access, or point `store` to another folder';
      return new StoreError('store_denied', `${failure}: ${reason} (${error.code} at ${path}). ${cure}.`, {
        cause: error,
      });
    }
    case 'EISDIR':
    case 'ENOTDIR':
    case 'EEXIST': {
      const reason = 'a key cannot be both an object and a folder of objects';
      return new StoreError('store_denied', `${failure}: ${reason} (${error.code} at ${path}). Use another key.`, {
        cause: error,
      });
    }
    case 'ELOOP':
      return symbolicLinkError(path, operation, error);
    default:
      return new StoreError('store_unavailable', `${failure}: ${error.message}. Check the disk and try again.`, {
        cause: error,
      });
  }
}

/** A symbolic link inside the store: following it could leave the store, so none is followed. */
export function symbolicLinkError(path: string, operation: FileOperation, cause?: unknown): StoreError {
  return new StoreError(
    'store_denied',
    `Cannot ${operation.action} in the store file:${operation.root}: ${path} is or lies behind a symbolic link, ` +
      'and links inside a store are not followed. Put the real folder there, or point `store` to the link itself.',
    { cause },
  );
}

/** The root is there and no folder, or was there and is gone, as with a disk that is not mounted: nothing is known of its objects. */
export function lostRootError(
  { action, root }: Pick<FileOperation, 'action' | 'root'>,
  code: 'store_denied' | 'store_unavailable',
  reason: string,
): StoreError {
  return new StoreError(
    code,
    `Cannot ${action} in the store file:${root}: ${reason}. Put the folder back there, or point \`store\` to another one.`,
  );
}

/** Whether `error` came from the operating system with one of `codes` (any code if none is given). */
export function isSystemError(error: unknown, ...codes: readonly string[]): error is NodeJS.ErrnoException {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return false;
  return codes.length === 0 || codes.includes(String(error.code));
}
