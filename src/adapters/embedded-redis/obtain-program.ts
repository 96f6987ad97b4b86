import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NightmillError } from '../../errors.ts';
import type { EmbeddedRedisOptions } from './embedded-redis-options.ts';
import {
  compareVersions,
  findRedisServer,
  MINIMUM_REDIS_VERSION,
  type RedisLookup,
  type RedisProgram,
} from './find-redis-server.ts';
import { canInstallRedis, installRedis } from './install-redis.ts';

/**
 * The program to start, installed first where that is allowed and possible.
 *
 * @throws {NightmillError} `redis_unavailable` where there is none, `redis_unsuitable` where it is too old
 */
export async function obtainProgram(redisFolder: string, options: EmbeddedRedisOptions): Promise<RedisProgram> {
  let lookup = findRedisServer(options.searchFolders);
  if (lookup.status === 'absent' && options.allowInstall && canInstallRedis()) {
    await installRedis(options.announce, undefined, options.signal);
    lookup = findRedisServer(options.searchFolders);
  }
  if (lookup.status !== 'found') throw programMissing(lookup);
  const { program } = lookup;
  // Redis 6 keeps its data in another file than Redis 7: it would start empty beside them.
  if (compareVersions(program.version, '7.0.0') < 0 && existsSync(join(redisFolder, 'appendonlydir'))) {
    throw new NightmillError(
      'redis_unsuitable',
      `${program.path} is version ${program.version} and cannot read the data in ${redisFolder}, which Redis 7 or newer wrote. Use the newer server, or another folder.`,
    );
  }
  return program;
}

function programMissing(lookup: Exclude<RedisLookup, { status: 'found' }>): NightmillError {
  const cures =
    'Install one (Debian and Ubuntu: `apt-get install redis-server`; macOS: `brew install redis`), start the whole system with `docker compose up`, or set `redis:` in nightmill.yaml to the URL of a running server.';
  if (lookup.status === 'absent') {
    return new NightmillError(
      'redis_unavailable',
      `No \`redis:\` URL is set, and there is no redis-server or valkey-server on PATH to start. ${cures}`,
    );
  }
  return new NightmillError(
    'redis_unsuitable',
    `${lookup.program.path} is version ${lookup.program.version}; at least ${MINIMUM_REDIS_VERSION} is needed. ${cures}`,
  );
}
