import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { NightmillError } from '../errors.ts';

const NO_SPACE = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/**
 * Keeps standard input in a new file in `folder` (made where it is missing), because input is read more than once. The caller
 * removes the file. Nothing is left behind on failure.
 *
 * @returns the file's path, for an input of kind `spooled`
 * @throws {NightmillError} `store_full`: no space left; `input_invalid`: the folder cannot be written to
 */
export async function spoolStandardInput(stream: Readable, folder: string, signal?: AbortSignal): Promise<string> {
  const path = join(folder, `standard-input-${randomUUID()}`);
  try {
    await mkdir(folder, { recursive: true });
    // Documents may be confidential: only this user may read them.
    await pipeline(
      stream,
      createWriteStream(path, { flags: 'wx', mode: 0o600 }),
      signal === undefined ? {} : { signal },
    );
  } catch (error) {
    await rm(path, { force: true }).catch(() => {});
    throw asSpoolError(error, folder);
  }
  return path;
}

function asSpoolError(error: unknown, folder: string): unknown {
  const code = error instanceof Error && 'code' in error && 'syscall' in error ? String(error.code) : undefined;
  if (code === undefined) return error;
  if (NO_SPACE.has(code)) {
    return new NightmillError(
      'store_full',
      `Cannot keep standard input in ${folder}: no space is left there (${code}). Free some, or give the input as a file.`,
      { cause: error },
    );
  }
  return new NightmillError(
    'input_invalid',
    `Cannot keep standard input in ${folder}: the file system answered ${code}.`,
    {
      cause: error,
    },
  );
}
