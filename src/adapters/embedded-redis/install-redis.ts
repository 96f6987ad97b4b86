import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { NightmillError } from '../../errors.ts';

/**
 * The package that brings the server program. Not `redis-server`: that one would also start a service on port 6379,
 * while the program itself is in `redis-tools` on Debian and Ubuntu.
 */
const PACKAGE = 'redis-tools';

/** Runs a command to its end; rejects with its last lines of output where it fails. */
export type RunCommand = (command: readonly string[], signal?: AbortSignal) => Promise<void>;

/** Whether this machine can get Redis from its package manager without asking anyone: Debian or Ubuntu, as root. */
export function canInstallRedis(): boolean {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version') && existsSync('/usr/bin/apt-get');
}

/**
 * The commands that install Redis, in order. Started through `env`, which keeps the proxy settings of the environment
 * and adds what dpkg needs.
 */
export function installCommands(): readonly (readonly string[])[] {
  const aptGet = [
    '/usr/bin/env',
    'DEBIAN_FRONTEND=noninteractive',
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'apt-get',
    '-qq',
    '-o',
    'DPkg::Lock::Timeout=120',
  ];
  return [
    [...aptGet, 'update'],
    [...aptGet, 'install', '-y', '--no-install-recommends', PACKAGE],
  ];
}

/** @throws {NightmillError} `redis_unavailable` with what the package manager said */
export async function installRedis(
  announce: (line: string) => void,
  run: RunCommand = runCommand,
  signal?: AbortSignal,
): Promise<void> {
  announce(`No Redis server found; installing the package ${PACKAGE} with apt-get (no service is started).`);
  let updateFailure = '';
  const [update, install] = installCommands();
  try {
    await run(update ?? [], signal);
  } catch (error) {
    // One broken package source must not stop an install that another source can serve.
    updateFailure = ` Before that, apt-get update failed: ${messageOf(error)}`;
  }
  try {
    await run(install ?? [], signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw new NightmillError(
      'redis_unavailable',
      `apt-get could not install ${PACKAGE}: ${messageOf(error)}${updateFailure} Install a Redis server 6.2 or newer by hand, or set \`redis:\` in nightmill.yaml to the URL of a running one.`,
      { cause: error },
    );
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const runCommand: RunCommand = ([file = '', ...words], signal) =>
  new Promise((resolve, reject) => {
    const options = { maxBuffer: 64 * 1024 * 1024, ...(signal === undefined ? {} : { signal }) };
    execFile(file, words, options, (error, output, errorOutput) => {
      if (error === null) return resolve();
      const lastLines = `${output}\n${errorOutput}`.trim().split('\n').slice(-5).join(' ');
      reject(new Error(lastLines === '' ? error.message : lastLines, { cause: error }));
    });
  });
