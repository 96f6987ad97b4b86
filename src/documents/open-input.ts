import { createReadStream } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { NightmillError } from '../errors.ts';
import { decompress } from './decompress.ts';
import { type NamedCompression, SUPPORTED_INPUTS } from './document-input.ts';

const READ_BYTES = 256 * 1024;

/** What reading a named input gives: its unpacked bytes, as they come. */
export type Bytes = AsyncIterable<Uint8Array>;

/**
 * The unpacked bytes of a file.
 *
 * @throws {NightmillError} `input_invalid`: missing, unreadable, damaged
 */
export async function* openFile(path: string, source: string, named?: NamedCompression): AsyncGenerator<Uint8Array> {
  try {
    yield* decompress(createReadStream(path, { highWaterMark: READ_BYTES }), source, named);
  } catch (error) {
    throw asInputError(error, source);
  }
}

/** Whether `path` is a file or a folder; other things (pipes, devices) cannot be read twice and are refused. */
export async function kindOfPath(path: string): Promise<'file' | 'folder'> {
  let info: Awaited<ReturnType<typeof stat>>;
  try {
    info = await stat(path);
  } catch (error) {
    throw asInputError(error, path, await isLink(path));
  }
  if (info.isFile()) return 'file';
  if (info.isDirectory()) return 'folder';
  throw new NightmillError(
    'input_invalid',
    `Cannot read ${path}: it is neither a file nor a folder. Pipe it to standard input and name the input "-". Supported: ${SUPPORTED_INPUTS}.`,
  );
}

/** Errors of the file system become `input_invalid`; others stay as they are. */
export function asInputError(error: unknown, source: string, link = false): unknown {
  const code = error instanceof Error && 'code' in error && 'syscall' in error ? String(error.code) : undefined;
  if (code === undefined) return error;
  return new NightmillError('input_invalid', `Cannot read ${source}: ${explain(code, link)}.`, { cause: error });
}

function explain(code: string, link: boolean): string {
  if (code === 'ENOENT' && link) return 'it is a link to something that does not exist (ENOENT)';
  if (code === 'ENOENT')
    return `there is no such file or folder (ENOENT); check the path. Supported: ${SUPPORTED_INPUTS}`;
  if (code === 'EACCES' || code === 'EPERM') return `reading it is not allowed (${code}); check its permissions`;
  return `the file system answered ${code}`;
}

async function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    (info) => info.isSymbolicLink(),
    () => false,
  );
}
