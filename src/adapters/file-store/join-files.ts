import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { settleAll } from '../../runtime/settle-all.ts';
import { MissingObjectError, READ_AHEAD } from '../../store/join-objects.ts';
import type { JoinedObject, ObjectInfo } from '../../store/object-store.ts';
import { checkRange } from '../check-range.ts';

/** A file of the store, open for reading. */
export interface OpenFile extends AsyncDisposable {
  readonly handle: FileHandle;
  readonly info: ObjectInfo;
}

/**
 * Writes files one behind the other. Each few of them go through the same buffer: what is read into new ones is garbage that
 * hardly anything makes the collector look at, 64 MB of it.
 *
 * @throws {MissingObjectError}
 */
export async function joinFiles(
  target: FileHandle,
  sources: readonly string[],
  url: string,
  openFile: (key: string) => Promise<OpenFile | undefined>,
): Promise<JoinedObject> {
  const hash = createHash('sha256');
  let space = new Uint8Array(0);
  let total = 0;
  for (let first = 0; first < sources.length; first += READ_AHEAD) {
    await using files = new AsyncDisposableStack();
    const opened = await settleAll(
      sources.slice(first, first + READ_AHEAD).map(async (key) => {
        const file = await openFile(key);
        if (file === undefined) throw new MissingObjectError(key);
        return files.use(file);
      }),
    );
    const bytes = opened.reduce((sum, { info }) => sum + info.bytes, 0);
    if (bytes > space.length) space = new Uint8Array(bytes);
    let at = 0;
    const reads: Promise<void>[] = [];
    for (const { handle, info } of opened) {
      reads.push(fill(handle, space.subarray(at, at + info.bytes), info, url));
      at += info.bytes;
    }
    await settleAll(reads);
    hash.update(space.subarray(0, bytes));
    await target.writeFile(space.subarray(0, bytes));
    total += bytes;
  }
  return { bytes: total, sha256: hash.digest('hex') };
}

async function fill(file: FileHandle, space: Uint8Array, { key }: ObjectInfo, url: string): Promise<void> {
  checkRange(space.subarray(0, await readInto(file, space, 0)), key, 0, space.length, url);
}

/** @returns bytes that have come; fewer than `space` has where the file ends before */
export async function readInto(file: FileHandle, space: Uint8Array, start: number): Promise<number> {
  let filled = 0;
  while (filled < space.length) {
    const { bytesRead } = await file.read(space, filled, space.length - filled, start + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}
