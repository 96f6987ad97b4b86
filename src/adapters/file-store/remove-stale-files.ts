import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

const STALE_AFTER_MS = 24 * 60 * 60 * 1000;

/**
 * Removes what a killed process was writing. A file that still grows is young, so a day without a write means that
 * its writer is gone. Best effort: a file that cannot be removed costs space, not correctness.
 */
export async function removeStaleFiles(folder: string, nowMs: number): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const path = join(folder, name);
    const stats = await lstat(path).catch(() => undefined);
    if (stats !== undefined && nowMs - stats.mtimeMs > STALE_AFTER_MS) await rm(path, { force: true }).catch(() => {});
  }
}
