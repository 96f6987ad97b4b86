import { execFileSync } from 'node:child_process';
import { type FSWatcher, mkdirSync, renameSync, statfsSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const ROOM = '64m';

/** The folder of a file store, which may become unreachable or full. */
export class FilePlace implements Disposable {
  readonly path: string;
  readonly #isDisk: boolean;
  readonly #watcher: FSWatcher;
  readonly #listeners = new Set<() => void>();

  /** @param hasDisk the folder is a disk of its own, which can be full; only root may mount one */
  constructor(folder: string, hasDisk: boolean) {
    this.path = join(folder, 'store');
    this.#isDisk = hasDisk;
    mkdirSync(this.path);
    if (hasDisk) execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${ROOM}`, 'tmpfs', this.path]);
    this.#watcher = watch(this.path, { recursive: true }, (_event, name) => {
      if (name?.includes('/work/') === true) for (const listener of this.#listeners) listener();
    });
    // Folders vanish under the watcher when a batch has ended.
    this.#watcher.on('error', () => {});
  }

  onRows(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** A file stands where the folder was, as a mount that is lost. */
  async refuse(lastsMs: number): Promise<void> {
    const aside = `${this.path}.aside`;
    renameSync(this.path, aside);
    writeFileSync(this.path, 'no folder');
    await delay(lastsMs);
    renameSync(this.path, `${this.path}.file`);
    renameSync(aside, this.path);
  }

  async fill(lastsMs: number): Promise<void> {
    const { blocks, bfree, bsize } = statfsSync(this.path);
    const used = Math.ceil(((blocks - bfree) * bsize) / 1024);
    execFileSync('mount', ['-o', `remount,size=${used}k`, this.path]);
    await delay(lastsMs);
    execFileSync('mount', ['-o', `remount,size=${ROOM}`, this.path]);
  }

  [Symbol.dispose](): void {
    this.#watcher.close();
    if (this.#isDisk) execFileSync('umount', ['-l', this.path]);
  }
}
