import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** The primary code that SQLite gives when another process holds the lock. */
const SQLITE_BUSY = 5;

export interface FolderLock {
  release(): void;
}

/**
 * Takes the lock of a Redis folder; undefined where another process holds it. Held until `release` or the process's
 * end.
 *
 * The lock is SQLite's on an empty database file, because that is a lock of the kernel: it ends with its process, kill -9
 * and power loss included, and it holds between containers that share the folder. A file with a process id has neither,
 * and two contenders that both find it stale can both take it. Two servers on one append-only file would destroy it.
 *
 * @throws where the file cannot be created or the file system knows no locks
 */
export function tryLockFolder(redisFolder: string): FolderLock | undefined {
  const database = new DatabaseSync(join(redisFolder, 'lock'), { timeout: 0 });
  try {
    // Without the pragma SQLite would also create a journal, which a full disk may refuse.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
}
