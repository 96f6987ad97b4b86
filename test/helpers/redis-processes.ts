import { chmodSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { NightmillError } from '../../src/errors.ts';

/** The processes that serve a folder: both kinds have it as their working folder, also after its removal. */
export function redisProcesses(
  kind: 'redis-server' | 'supervisor',
  redisFolder: string,
): readonly { readonly pid: number }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
        const isKind =
          kind === 'supervisor'
            ? words.join(' ').includes('embedded-redis/supervisor')
            : /redis-server/.test(words[0] ?? '');
        return isKind && readlinkSync(`/proc/${name}/cwd`).replace(' (deleted)', '') === redisFolder;
      } catch {
        return false;
      }
    })
    .map((name) => ({ pid: Number(name) }));
}

/** Checks that there is one: a signal to process 0 would reach the tests themselves. */
export function killOne(found: { readonly pid: number } | undefined): number {
  if (found === undefined) throw new Error('There is no process to kill.');
  process.kill(found.pid, 'SIGKILL');
  return found.pid;
}

/** The error that a promise is rejected with. */
export async function failureOf(promise: Promise<unknown>): Promise<NightmillError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(NightmillError);
  return error as NightmillError;
}

/** A folder with a `redis-server` that only tells this version. */
export function fakeRedisServer(base: string, version: string): string {
  const programs = join(base, 'bin');
  mkdirSync(programs);
  writeFileSync(
    join(programs, 'redis-server'),
    `#!/bin/sh\necho 'Redis server v=${version} sha=0 malloc=libc bits=64'\n`,
  );
  chmodSync(join(programs, 'redis-server'), 0o755);
  return programs;
}
