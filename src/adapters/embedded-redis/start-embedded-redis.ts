import type { ChildProcess } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeFolder } from '../../runtime/make-folder.ts';
import { EmbeddedRedis } from './embedded-redis.ts';
import type { EmbeddedRedisOptions } from './embedded-redis-options.ts';
import { readEndpoint } from './endpoint.ts';
import type { RedisProgram } from './find-redis-server.ts';
import { joinServer } from './join-server.ts';
import { obtainProgram } from './obtain-program.ts';
import { folderFailure, logSizeInBytes, redisFailure } from './start-failure.ts';
import { startSupervisor } from './start-supervisor.ts';

const POLL_MS = 25;
/** After this time a start is slow enough to say so. */
const ANNOUNCE_AFTER_MS = 3_000;
/** How long to wait for a server that is neither loading nor answering. */
const MAX_WAIT_MS = 30_000;

/**
 * Joins the Redis server of this folder, or starts it where none runs. Any number of processes may call this at the
 * same time: exactly one server comes of it. It keeps running while any of them is connected, whichever started it, and
 * everything acknowledged is in the folder for the next start, also after kill -9.
 *
 * @throws {NightmillError} `redis_unavailable` where there is no server program, the folder cannot be used or the
 * server does not start; `redis_unsuitable` where the program is too old
 */
export async function startEmbeddedRedis(options: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const redisFolder = prepareFolder(join(options.folder, 'redis'));
  const logPath = join(redisFolder, 'redis.log');
  const logStart = logSizeInBytes(logPath);
  const startedAt = performance.now();
  let waitingSince = startedAt;
  let announced = false;
  let program: RedisProgram | undefined;
  let supervisor: ChildProcess | undefined;
  for (;;) {
    options.signal?.throwIfAborted();
    const joined = await joinServer(redisFolder);
    if (joined !== undefined)
      return new EmbeddedRedis(joined, { redisFolder, logPath, logStart, searchFolders: options.searchFolders });
    if (supervisor?.exitCode) throw redisFailure('The embedded Redis did not start.', logPath, logStart);
    if (supervisor === undefined || supervisor.exitCode === 0 || supervisor.signalCode !== null) {
      program ??= await obtainProgram(redisFolder, options);
      supervisor = await startSupervisor(redisFolder, program, logPath);
    }
    const now = performance.now();
    const loading = readEndpoint(redisFolder)?.state === 'starting';
    if (loading) waitingSince = now;
    if (now - waitingSince > MAX_WAIT_MS) {
      throw redisFailure(`The embedded Redis in ${redisFolder} does not answer.`, logPath, logStart);
    }
    if (!announced && now - startedAt > ANNOUNCE_AFTER_MS) {
      announced = true;
      options.announce(`Waiting for the embedded Redis in ${redisFolder}${loading ? ', which loads its data' : ''}.`);
    }
    await delay(POLL_MS, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
}

/** Gives the folder's real path, so that two names of it lead to one server. */
function prepareFolder(redisFolder: string): string {
  try {
    makeFolder(redisFolder, 0o700);
    return realpathSync(redisFolder);
  } catch (error) {
    throw folderFailure(redisFolder, error);
  }
}
