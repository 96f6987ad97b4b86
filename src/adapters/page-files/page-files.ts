import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** A file of the page: its path under `/`, e.g. `assets/index-1a2b3c4d.js`. */
export interface PageFile {
  readonly path: string;
  readonly text: string;
}

const MAX_BUILD_BYTES = 8 * 1024 * 1024;

/**
 * The page as it is served. The packed package has it ready; from the sources it is bundled at each start in a process
 * of its own, so that it is never older than they are and the bundler takes no memory here.
 *
 * @throws where the sources cannot be bundled, e.g. because development packages are not installed
 */
export async function readPageFiles(): Promise<readonly PageFile[]> {
  return import.meta.url.endsWith('.ts') ? await bundle() : await readBuilt();
}

async function bundle(): Promise<readonly PageFile[]> {
  const script = fileURLToPath(new URL('../../../scripts/build-page.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script], { maxBuffer: MAX_BUILD_BYTES });
  return JSON.parse(stdout) as readonly PageFile[];
}

async function readBuilt(): Promise<readonly PageFile[]> {
  const folder = fileURLToPath(new URL('../../../page', import.meta.url));
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map(async (file) => ({
        path: file.slice(folder.length + 1).replaceAll('\\', '/'),
        text: await readFile(file, 'utf8'),
      })),
  );
}
