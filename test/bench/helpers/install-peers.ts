import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Has a package.json with exact versions and their lock file. */
export const PEERS = fileURLToPath(new URL('../peers', import.meta.url));

export type InstalledPeers =
  | { readonly status: 'installed' }
  | { readonly status: 'not_installed'; readonly reason: string };

const WITHIN_MS = 300_000;

/**
 * Installs what stands in the folder's lock file, unless it is there already: `npm ci` without scripts, into its `node_modules`,
 * which Git ignores. Without a registry the benchmark goes on without these peers, and says so.
 */
export function installPeers(folder = PEERS): InstalledPeers {
  const modules = join(folder, 'node_modules');
  const stamp = join(modules, '.installed');
  const lock = lockHash(folder);
  if (lock !== undefined && existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return { status: 'installed' };
  // The prefix is said aloud: under `npm run`, npm could take the project for the folder.
  const args = ['ci', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status, signal, stderr, error } = spawnSync('npm', args, {
    cwd: folder,
    encoding: 'utf8',
    timeout: WITHIN_MS,
  });
  if (error !== undefined) return { status: 'not_installed', reason: `npm ci: ${error.message}` };
  if (status !== 0 || lock === undefined) {
    return { status: 'not_installed', reason: `npm ci ended with ${status ?? signal}: ${firstErrors(stderr)}` };
  }
  writeFileSync(stamp, lock);
  return { status: 'installed' };
}

function lockHash(folder: string): string | undefined {
  const lock = join(folder, 'package-lock.json');
  return existsSync(lock) ? createHash('sha256').update(readFileSync(lock)).digest('hex') : undefined;
}

/** npm's code and the sentence after it, without the numbers of the system between them and without where its log lies. */
function firstErrors(stderr: string): string {
  const lines = stderr
    .split('\n')
    .map((line) => line.replace(/^npm (error|ERR!) ?/, '').trim())
    .filter((line) => line !== '' && !/^(syscall|errno|path|A complete log)\b/.test(line));
  return lines.slice(0, 2).join('; ') || 'it said nothing';
}
