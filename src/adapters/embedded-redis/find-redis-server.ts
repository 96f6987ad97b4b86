import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** A program that runs as a Redis server. */
export interface RedisProgram {
  readonly path: string;
  /** `argv[0]` to start it with: the program looks at it to decide which tool it is. */
  readonly startedAs: string;
  /** e.g. `7.0.15` */
  readonly version: string;
}

export type RedisLookup =
  | { readonly status: 'found'; readonly program: RedisProgram }
  | { readonly status: 'too_old'; readonly program: RedisProgram }
  | { readonly status: 'absent' };

/** Oldest server that BullMQ and the scripts work with. */
export const MINIMUM_REDIS_VERSION = '6.2.0';

/**
 * The file check tools are the same program under another name. Debian and Ubuntu ship them in `redis-tools`, without
 * the `redis-server` link, so a machine that only has `redis-cli` can run a server as well.
 */
const PROGRAM_NAMES = [
  ['redis-server', 'redis-server'],
  ['valkey-server', 'valkey-server'],
  ['redis-check-rdb', 'redis-server'],
  ['valkey-check-rdb', 'valkey-server'],
] as const;

/** Where to look: the folders of PATH, then the usual ones that a PATH may lack (cron has no /usr/sbin). */
export function redisSearchFolders(pathVariable: string | undefined): readonly string[] {
  const usual = ['/usr/local/bin', '/usr/local/sbin', '/usr/bin', '/usr/sbin', '/opt/homebrew/bin'];
  return [...new Set([...(pathVariable ?? '').split(':').filter((folder) => folder !== ''), ...usual])];
}

/** The first server in these folders that is new enough, preferring `redis-server`. */
export function findRedisServer(folders: readonly string[]): RedisLookup {
  let tooOld: RedisProgram | undefined;
  for (const [name, startedAs] of PROGRAM_NAMES) {
    for (const folder of folders) {
      const path = join(folder, name);
      if (!isExecutable(path)) continue;
      const version = versionOf(path, startedAs);
      if (version === undefined) continue;
      const program = { path, startedAs, version };
      if (compareVersions(version, MINIMUM_REDIS_VERSION) >= 0) return { status: 'found', program };
      tooOld ??= program;
    }
  }
  return tooOld === undefined ? { status: 'absent' } : { status: 'too_old', program: tooOld };
}

/** Negative where `left` is older, 0 where equal, positive where newer. Both like `7.0.15`. */
export function compareVersions(left: string, right: string): number {
  const rightParts = right.split('.').map(Number);
  for (const [index, part] of left.split('.').map(Number).entries()) {
    const difference = part - (rightParts[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What `--version` says, e.g. `Redis server v=7.0.15 sha=…`; undefined where it is no Redis server or does not run. */
function versionOf(path: string, startedAs: string): string | undefined {
  const { stdout } = spawnSync(path, ['--version'], { argv0: startedAs, timeout: 10_000, encoding: 'utf8' });
  return / v=(\d+\.\d+\.\d+)/.exec(stdout ?? '')?.[1];
}
