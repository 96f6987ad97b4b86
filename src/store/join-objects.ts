import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { JoinedObject, ObjectStore } from './object-store.ts';

/** Objects that are read at once while others are joined. */
export const READ_AHEAD = 16;

/** An object that was to be joined to others is not there. */
export class MissingObjectError extends Error {
  readonly key: string;

  constructor(key: string) {
    super(`There is no object ${key}`);
    this.name = 'MissingObjectError';
    this.key = key;
  }
}

/** `putJoined` of a store that can do no better than to read and write. */
export async function joinByStream(
  store: Pick<ObjectStore, 'get' | 'putStream'>,
  key: string,
  sources: readonly string[],
): Promise<JoinedObject> {
  const hash = createHash('sha256');
  let bytes = 0;
  async function* contents() {
    for await (const body of readAhead(store, sources)) {
      hash.update(body);
      bytes += body.length;
      yield body;
    }
  }
  await store.putStream(key, Readable.from(contents()));
  return { bytes, sha256: hash.digest('hex') };
}

async function* readAhead(store: Pick<ObjectStore, 'get'>, sources: readonly string[]): AsyncGenerator<Uint8Array> {
  const reads: Promise<Uint8Array>[] = [];
  for (let next = 0; next < sources.length || reads.length > 0; ) {
    while (next < sources.length && reads.length < READ_AHEAD) {
      const read = readObject(store, sources[next++] as string);
      // Awaited in order below; until then a failure must not count as unhandled.
      read.catch(() => {});
      reads.push(read);
    }
    yield await (reads.shift() as Promise<Uint8Array>);
  }
}

async function readObject(store: Pick<ObjectStore, 'get'>, key: string): Promise<Uint8Array> {
  const body = await store.get(key);
  if (body === undefined) throw new MissingObjectError(key);
  return body;
}
