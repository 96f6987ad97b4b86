import { createHash } from 'node:crypto';
import { NightmillError } from '../../../errors.ts';
import type { RedisClient } from '../redis-options.ts';
import { rightsProblem } from '../server/rights-problem.ts';

/** A Lua script and its digest, by which the server runs it after the first time. */
export interface Script {
  readonly source: string;
  readonly sha1: string;
}

export function script(source: string): Script {
  return { source, sha1: createHash('sha1').update(source).digest('hex') };
}

type Argument = string | number | Buffer;

/** What the client has for every command and its types leave out for these two: replies as bytes. */
interface ByteReplies {
  evalshaBuffer(sha1: string, keyCount: number, ...keysAndArguments: Argument[]): Promise<unknown>;
  evalBuffer(source: string, keyCount: number, ...keysAndArguments: Argument[]): Promise<unknown>;
}

/**
 * Runs a script by its digest; a server that has not seen it (new, restarted, failed over) gets the source.
 *
 * @throws {NightmillError} `redis_unavailable` when the server stays out of reach
 */
export async function runScript<T>(
  redis: RedisClient,
  { source, sha1 }: Script,
  keys: readonly string[],
  args: readonly Argument[],
): Promise<T> {
  const client = redis as unknown as ByteReplies;
  try {
    return (await client.evalshaBuffer(sha1, keys.length, ...keys, ...args)) as T;
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw outOfReach(error);
  }
  try {
    return (await client.evalBuffer(source, keys.length, ...keys, ...args)) as T;
  } catch (error) {
    throw outOfReach(error);
  }
}

/** What the server itself answers stays as it is. */
function outOfReach(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const rights = rightsProblem(error);
  if (rights !== undefined) return rights;
  if (error.name === 'ReplyError') return error;
  return new NightmillError(
    'redis_unavailable',
    `Redis has gone out of reach (${error.message}). Start it again; work resumes where it stopped.`,
    { cause: error, retryable: true },
  );
}
