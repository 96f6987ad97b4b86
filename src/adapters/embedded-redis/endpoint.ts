import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What a supervisor tells about its server in `endpoint.json`.
 *
 * - `starting`: the server is loading its data; nobody may use it yet.
 * - `ready`: join it.
 * - `ending`: the supervisor is about to stop it; wait for the next one.
 */
export interface Endpoint {
  readonly state: 'starting' | 'ready' | 'ending';
  readonly socketPath: string;
}

/** The name under which a supervisor's own connection stands in `CLIENT LIST`. */
export const SUPERVISOR_CLIENT_NAME = 'nightmill-supervisor';

const fileOf = (redisFolder: string): string => join(redisFolder, 'endpoint.json');

/** Replaces the file in one step, so that a reader never sees half of it. Called by the lock's holder only. */
export function writeEndpoint(redisFolder: string, endpoint: Endpoint): void {
  const temporary = `${fileOf(redisFolder)}.new`;
  writeFileSync(temporary, JSON.stringify(endpoint), { mode: 0o600 });
  renameSync(temporary, fileOf(redisFolder));
}

export function removeEndpoint(redisFolder: string): void {
  rmSync(fileOf(redisFolder), { force: true });
}

/** The last endpoint written in this folder, also by a supervisor that is gone; undefined where there is none. */
export function readEndpoint(redisFolder: string): Endpoint | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(fileOf(redisFolder), 'utf8'));
    return isEndpoint(value) ? value : undefined;
  } catch {
    // Absent, or damaged by a machine that lost power: as good as absent, the lock decides who may start a server.
    return undefined;
  }
}

function isEndpoint(value: unknown): value is Endpoint {
  return (
    typeof value === 'object' &&
    value !== null &&
    'socketPath' in value &&
    typeof value.socketPath === 'string' &&
    'state' in value &&
    (value.state === 'starting' || value.state === 'ready' || value.state === 'ending')
  );
}
