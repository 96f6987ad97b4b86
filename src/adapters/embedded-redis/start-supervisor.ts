import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NightmillError } from '../../errors.ts';
import type { RedisProgram } from './find-redis-server.ts';
import { folderFailure, logSizeInBytes } from './start-failure.ts';
import type { SupervisorArguments } from './supervisor.ts';

const MAX_LOG_BYTES = 1024 * 1024;

/** Starts a supervisor that outlives this process. It ends at once where the folder has one already. */
export async function startSupervisor(
  redisFolder: string,
  program: RedisProgram,
  logPath: string,
): Promise<ChildProcess> {
  const settings: SupervisorArguments = { redisFolder, temporaryFolders: [tmpdir(), '/tmp'], program };
  // Runs from the sources and from the build: the supervisor has the extension that this file has.
  const supervisorPath = fileURLToPath(new URL(`./supervisor${extname(import.meta.url)}`, import.meta.url));
  const log = openLog(redisFolder, logPath);
  try {
    const words = ['--disable-warning=ExperimentalWarning', supervisorPath, JSON.stringify(settings)];
    const supervisor = spawn(process.execPath, words, {
      cwd: redisFolder,
      detached: true,
      // Nothing of the environment: neither API keys nor NODE_OPTIONS belong into a process that stays.
      env: {},
      stdio: ['ignore', log, log],
    });
    supervisor.unref();
    await spawned(supervisor);
    return supervisor;
  } finally {
    closeSync(log);
  }
}

function openLog(redisFolder: string, logPath: string): number {
  try {
    if (logSizeInBytes(logPath) > MAX_LOG_BYTES) renameSync(logPath, `${logPath}.1`);
    return openSync(logPath, 'a', 0o600);
  } catch (error) {
    throw folderFailure(redisFolder, error);
  }
}

async function spawned(supervisor: ChildProcess): Promise<void> {
  try {
    await once(supervisor, 'spawn');
  } catch (error) {
    throw new NightmillError(
      'redis_unavailable',
      `Cannot start the supervisor of the embedded Redis: ${String(error)}.`,
      {
        cause: error,
      },
    );
  }
}
