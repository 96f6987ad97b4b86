import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Memory on the disk: a file in the folder for temporary ones that only this process can reach. Its name is gone at once,
 * so nothing is left however the process ends. Read and written in place, without waiting for the disk.
 */
export class NamelessFile implements Disposable {
  #file: number;

  /** @throws what the operating system says where no temporary file can be made */
  constructor() {
    const path = join(tmpdir(), `nightmill-${randomUUID()}`);
    this.#file = openSync(path, 'wx+', 0o600);
    rmSync(path, { force: true });
  }

  /** Fills `target`; what was never written reads as zeros. */
  read(target: Uint8Array, position: number): void {
    for (let filled = 0; filled < target.length; ) {
      const read = readSync(this.#file, target, filled, target.length - filled, position + filled);
      if (read === 0) {
        target.fill(0, filled);
        return;
      }
      filled += read;
    }
  }

  /** @throws what the operating system says, e.g. that the disk is full */
  write(bytes: Uint8Array, position: number): void {
    for (let written = 0; written < bytes.length; )
      written += writeSync(this.#file, bytes, written, bytes.length - written, position + written);
  }

  [Symbol.dispose](): void {
    if (this.#file !== -1) closeSync(this.#file);
    this.#file = -1;
  }
}
