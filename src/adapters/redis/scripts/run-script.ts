import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';

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

/** Runs a script by its digest; a server that has not seen it (new, restarted, failed over) gets the source. */
export async function runScript<T>(
  redis: Redis,
  { source, sha1 }: Script,
  keys: readonly string[],
  args: readonly Argument[],
): Promise<T> {
  const client = redis as unknown as ByteReplies;
  try {
    return (await client.evalshaBuffer(sha1, keys.length, ...keys, ...args)) as T;
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
    return (await client.evalBuffer(source, keys.length, ...keys, ...args)) as T;
  }
}
