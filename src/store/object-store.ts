import type { Readable } from 'node:stream';

export interface ObjectInfo {
  readonly key: string;
  readonly bytes: number;
  /** Changes when the content changes; absent where the store has none. */
  readonly etag?: string;
}

export interface ObjectBody {
  readonly key: string;
  readonly body: Uint8Array;
}

/** What objects that were joined have become. */
export interface JoinedObject {
  readonly bytes: number;
  /** In hex. */
  readonly sha256: string;
}

/**
 * Where documents and results live. Keys are slash-separated, relative to the store's root
 * (`batches/<id>/manifest.json`), and never leave it. A `put` is atomic: a reader sees the old object,
 * the new one or none, never a part. Correctness never rests on conditional writes.
 *
 * Every method throws `StoreError` when the store cannot be reached, refuses access or is full, and `RangeError` for
 * a key that breaks the rules of `assertObjectKey` (writes) or `assertKeyStaysInside` (reads, lists, removals).
 */
export interface ObjectStore {
  /** `file:…` or `s3://…`, for messages. */
  readonly url: string;
  /** Writes a whole object, replacing one that exists. */
  put(key: string, body: Uint8Array): Promise<void>;
  /**
   * Writes objects one after the other, as `put` does, for less than as many puts cost: where one is there, also after a
   * power cut, those before it in the list are there too.
   */
  putAll(objects: readonly ObjectBody[]): Promise<void>;
  /** Writes an object of unknown size with bounded memory. If `body` fails, its error is thrown and `key` is as before. */
  putStream(key: string, body: Readable): Promise<void>;
  /**
   * Writes an object of the contents of others, one behind the other, with bounded memory.
   *
   * @param sources keys of objects that are small
   * @throws {MissingObjectError} one of them is not there; `key` is as before
   */
  putJoined(key: string, sources: readonly string[]): Promise<JoinedObject>;
  /** The whole object, or undefined where there is none. Only for objects known to be small. */
  get(key: string): Promise<Uint8Array | undefined>;
  /**
   * The object's bytes as they come, or undefined where there is none. A download that breaks off makes the stream
   * fail with a `StoreError`, never end early. Read it to the end or destroy it.
   */
  getStream(key: string): Promise<Readable | undefined>;
  /**
   * The bytes from `start` up to and without `end` (at least one, and inside the object), or undefined where there is
   * none. Only for ranges known to be small. One that comes short is a `StoreError`.
   */
  getRange(key: string, start: number, end: number): Promise<Uint8Array | undefined>;
  head(key: string): Promise<ObjectInfo | undefined>;
  /** Objects whose key starts with `prefix`, in ascending byte order of key. */
  list(prefix: string): AsyncIterable<ObjectInfo>;
  /** Removes objects; one that does not exist is no error. */
  delete(keys: readonly string[]): Promise<void>;
  /** A link that works without credentials for `seconds` (1 to 604,800, which is 7 days), or undefined where the store has none (files). */
  downloadUrl(key: string, seconds: number): Promise<string | undefined>;
  close(): Promise<void>;
}
