import { createHash } from 'node:crypto';
import { lstatSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { makeFolder } from '../../runtime/make-folder.ts';

/** The longest path of a Unix socket in bytes: 103 on macOS, 107 on Linux; the smaller one everywhere. */
const MAX_SOCKET_PATH_BYTES = 103;

/**
 * Where the server of this folder listens: inside the folder, or in a private folder under one of `temporaryFolders`
 * where the path is too long for a socket or the file system has no sockets (shared folders of virtual machines). Only
 * the lock's holder may call this, and only while no server runs on the folder: what lies at the path is removed.
 *
 * @throws where no place takes a socket, with every reason
 */
export async function chooseSocketPath(redisFolder: string, temporaryFolders: readonly string[]): Promise<string> {
  const refusals: string[] = [];
  const userId = process.getuid?.() ?? 0;
  const hash = createHash('sha256').update(redisFolder).digest('hex').slice(0, 16);
  for (const parent of [undefined, ...temporaryFolders]) {
    const folder = parent === undefined ? redisFolder : join(parent, `nightmill-${userId}-${hash}`);
    const path = join(folder, 'redis.sock');
    const refusal = await refusalOf(path, parent === undefined ? undefined : userId);
    if (refusal === undefined) return path;
    refusals.push(`${path}: ${refusal}`);
  }
  throw new Error(`No socket can be created. ${refusals.join('; ')}.`);
}

/** Why a server cannot listen here; undefined where it can. With `ownerId` the folder is created for this user alone. */
async function refusalOf(path: string, ownerId: number | undefined): Promise<string | undefined> {
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_SOCKET_PATH_BYTES) return `the path has ${bytes} bytes, at most ${MAX_SOCKET_PATH_BYTES} fit`;
  try {
    if (ownerId !== undefined) createPrivateFolder(dirname(path), ownerId);
    rmSync(path, { force: true });
    await listenOnce(path);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function createPrivateFolder(folder: string, ownerId: number): void {
  makeFolder(folder, 0o700);
  const status = lstatSync(folder);
  // Anyone may create that name in /tmp first and then listen in our place.
  if (!status.isDirectory() || status.uid !== ownerId || (status.mode & 0o077) !== 0) {
    throw new Error(`it exists and is not a folder that only user ${ownerId} can enter: remove it`);
  }
}

function listenOnce(path: string): Promise<void> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => server.close(() => resolve()));
  });
}
