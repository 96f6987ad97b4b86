import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { joinByStream } from '../../store/join-objects.ts';
import { assertKeyStaysInside, assertObjectKey, compareKeys } from '../../store/object-key.ts';
import type { JoinedObject, ObjectBody, ObjectInfo, ObjectStore } from '../../store/object-store.ts';
import { checkRange } from '../check-range.ts';

const CHUNK_BYTES = 64 * 1024;

interface StoredObject {
  readonly content: Uint8Array;
  readonly version: number;
}

/** Objects of one process, for tests and simulation; gone when the process ends. */
export class MemoryStore implements ObjectStore {
  readonly url = 'memory:';
  readonly #objects = new Map<string, StoredObject>();
  #lastVersion = 0;

  async put(key: string, body: Uint8Array): Promise<void> {
    assertObjectKey(key);
    this.#lastVersion += 1;
    // A copy: the caller may reuse its buffer.
    this.#objects.set(key, { content: new Uint8Array(body), version: this.#lastVersion });
  }

  async putAll(objects: readonly ObjectBody[]): Promise<void> {
    for (const { key, body } of objects) await this.put(key, body);
  }

  async putStream(key: string, body: Readable): Promise<void> {
    assertObjectKey(key);
    await this.put(key, await buffer(body));
  }

  async putJoined(key: string, sources: readonly string[]): Promise<JoinedObject> {
    return await joinByStream(this, key, sources);
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    assertKeyStaysInside(key);
    const object = this.#objects.get(key);
    return object === undefined ? undefined : new Uint8Array(object.content);
  }

  async getStream(key: string): Promise<Readable | undefined> {
    const content = await this.get(key);
    return content === undefined ? undefined : Readable.from(chunksOf(content), { objectMode: false });
  }

  async getRange(key: string, start: number, end: number): Promise<Uint8Array | undefined> {
    const content = (await this.get(key))?.slice(start, end);
    return content === undefined ? undefined : checkRange(content, key, start, end, this.url);
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    assertKeyStaysInside(key);
    const object = this.#objects.get(key);
    return object === undefined ? undefined : describe(key, object);
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    if (prefix !== '') assertKeyStaysInside(prefix);
    const keys = [...this.#objects.keys()].filter((key) => key.startsWith(prefix)).sort(compareKeys);
    for (const key of keys) {
      const object = this.#objects.get(key);
      if (object !== undefined) yield describe(key, object);
    }
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) assertKeyStaysInside(key);
    for (const key of keys) this.#objects.delete(key);
  }

  async downloadUrl(_key: string, _seconds: number): Promise<undefined> {
    return undefined;
  }

  async close(): Promise<void> {}
}

function describe(key: string, object: StoredObject): ObjectInfo {
  return { key, bytes: object.content.byteLength, etag: String(object.version) };
}

function* chunksOf(content: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < content.byteLength; start += CHUNK_BYTES) {
    yield content.subarray(start, start + CHUNK_BYTES);
  }
}
