import { execFileSync, spawnSync } from 'node:child_process';
import { type FSWatcher, mkdirSync, rmSync, statfsSync, symlinkSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const ROOM = '64m';

/** The folder of a file store, which may become unreachable or full. */
export class FilePlace implements Disposable {
  readonly path: string;
  /** How the workers reach it. */
  readonly link: string;
  readonly #isDisk: boolean;
  readonly #watcher: FSWatcher;
  readonly #listeners = new Set<() => void>();

  /** @param hasDisk the folder is a disk of its own, which can be full; only root may mount one */
  constructor(folder: string, hasDisk: boolean) {
    this.path = join(folder, 'store');
    this.#isDisk = hasDisk;
    this.link = `${this.path}-link`;
    mkdirSync(this.path);
    symlinkSync(this.path, this.link);
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

  /** A file stands where the workers' link to the folder was, as a mount that is lost. */
  async refuse(lastsMs: number): Promise<void> {
    rmSync(this.link);
    writeFileSync(this.link, 'no folder');
    await delay(lastsMs);
    rmSync(this.link);
    symlinkSync(this.path, this.link);
  }

  async fill(lastsMs: number): Promise<void> {
    // A disk can't be made smaller than what is on it, and the workers write meanwhile.
    for (let tries = 20; !this.#shrink(); tries -= 1) if (tries === 0) throw new Error(`${this.path} never got full`);
    await delay(lastsMs);
    execFileSync('mount', ['-o', `remount,size=${ROOM}`, this.path]);
  }

  #shrink(): boolean {
    const { blocks, bfree, bsize } = statfsSync(this.path);
    const used = Math.ceil(((blocks - bfree) * bsize) / 1024);
    return spawnSync('mount', ['-o', `remount,size=${used}k`, this.path]).status === 0;
  }

  [Symbol.dispose](): void {
    this.#watcher.close();
    if (this.#isDisk) execFileSync('umount', ['-l', this.path]);
  }
}
