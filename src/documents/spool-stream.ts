import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { NightmillError } from '../errors.ts';
import { makeFolder } from '../runtime/make-folder.ts';

const NO_SPACE = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const PREFIX = 'spool-';

export interface SpooledStream extends AsyncDisposable {
  readonly path: string;
  readonly bytes: number;
}

/**
 * Keeps a stream in a new file below `folder` (made where it is missing), because input is read more than once. Disposing
 * of it removes the file. Nothing is left behind on failure.
 *
 * @param name the file's name; only its last part counts
 * @throws {NightmillError} `store_full`: no space left; `input_invalid`: the folder cannot be written to
 */
export async function spoolStream(
  stream: Readable,
  folder: string,
  name: string,
  signal?: AbortSignal,
): Promise<SpooledStream> {
  const own = join(folder, `${PREFIX}${randomUUID()}`);
  const path = join(own, safeName(name));
  let bytes = 0;
  try {
    makeFolder(own);
    // Documents may be confidential: only this user may read them.
    const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
    await pipeline(stream, file, signal === undefined ? {} : { signal });
    bytes = file.bytesWritten;
  } catch (error) {
    await rm(own, { recursive: true, force: true }).catch(() => {});
    throw asSpoolError(error, folder);
  }
  return { path, bytes, [Symbol.asyncDispose]: () => rm(own, { recursive: true, force: true }) };
}

/** Removes what processes that were killed have left in `folder`; returns how many. */
export async function removeStaleSpools(folder: string, olderThan: number): Promise<number> {
  let removed = 0;
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(folder, name);
    const changed = await stat(path).then(
      (info) => info.mtimeMs,
      () => Number.POSITIVE_INFINITY,
    );
    if (changed >= olderThan) continue;
    await rm(path, { recursive: true, force: true });
    removed++;
  }
  return removed;
}

/** The last part of a name that someone else chose: it never leads out of its folder. */
function safeName(name: string): string {
  const last = basename(name.replaceAll('\\', '/')).replaceAll(/[\p{Cc}]/gu, '_');
  const short = last.length > 200 ? last.slice(-200) : last;
  return short === '' || short === '.' || short === '..' ? 'input' : short;
}

function asSpoolError(error: unknown, folder: string): unknown {
  const code = error instanceof Error && 'code' in error && 'syscall' in error ? String(error.code) : undefined;
  if (code === undefined) return error;
  if (NO_SPACE.has(code)) {
    return new NightmillError(
      'store_full',
      `Cannot keep the input in ${folder}: no space is left there (${code}). Free some, or give the input as a file.`,
      { cause: error },
    );
  }
  return new NightmillError('input_invalid', `Cannot keep the input in ${folder}: the file system answered ${code}.`, {
    cause: error,
  });
}
