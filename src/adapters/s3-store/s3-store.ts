import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { joinByStream } from '../../store/join-objects.ts';
import { assertKeyStaysInside, assertObjectKey } from '../../store/object-key.ts';
import type { JoinedObject, ObjectBody, ObjectInfo, ObjectStore } from '../../store/object-store.ts';
import { checkRange } from '../check-range.ts';
import { CheckedDownload } from '../checked-download.ts';
import { WatchedBody } from '../watched-body.ts';
import { createS3Clients, DEFAULT_S3_TIMEOUTS, type S3Clients, type S3Timeouts } from './s3-clients.ts';
import { readS3Location, type S3Location, type S3Settings } from './s3-settings.ts';
import { s3StoreError } from './s3-store-error.ts';
import { uploadStream } from './upload-stream.ts';

/** Most keys that S3 removes in one request. */
const DELETE_BATCH_KEYS = 1000;

/** Longest life that S3 gives a signed link. */
const MAX_LINK_SECONDS = 7 * 24 * 60 * 60;

/**
 * Objects in a bucket of S3 or of a server that speaks its protocol, below an optional prefix. Requests are tried
 * three times by the SDK; a download that breaks after it began is not resumed. Objects that other programs wrote,
 * whatever their keys, can be listed and read; empty `folder/` markers of S3 consoles are left out.
 */
export class S3Store implements ObjectStore {
  readonly url: string;
  readonly #location: S3Location;
  readonly #clients: S3Clients;
  readonly #timeouts: S3Timeouts;

  constructor(settings: S3Settings, timeouts: S3Timeouts = DEFAULT_S3_TIMEOUTS) {
    this.#location = readS3Location(settings);
    this.url = this.#location.url;
    this.#timeouts = timeouts;
    this.#clients = createS3Clients(settings, this.#location.region, timeouts);
  }

  async put(key: string, body: Uint8Array): Promise<void> {
    assertObjectKey(key);
    await this.#attempt(`write ${key}`, () =>
      this.#clients.requests.send(new PutObjectCommand({ ...this.#address(key), Body: body })),
    );
  }

  async putAll(objects: readonly ObjectBody[]): Promise<void> {
    for (const { key, body } of objects) await this.put(key, body);
  }

  async putStream(key: string, body: Readable): Promise<void> {
    const watched = new WatchedBody(body);
    try {
      assertObjectKey(key);
      await uploadStream(this.#clients.requests, this.#location.bucket, this.#fullKey(key), watched.stream);
    } catch (error) {
      watched.rethrowFailure();
      if (error instanceof RangeError) throw error;
      throw s3StoreError(error, `write ${key}`, this.#location);
    }
  }

  async putJoined(key: string, sources: readonly string[]): Promise<JoinedObject> {
    return await joinByStream(this, key, sources);
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const stream = await this.getStream(key);
    return stream === undefined ? undefined : await buffer(stream);
  }

  async getStream(key: string): Promise<Readable | undefined> {
    const found = await this.#open(key);
    if (found === undefined) return undefined;
    return new CheckedDownload(found.body, {
      expectedBytes: found.output.ContentLength,
      idleTimeoutMs: this.#timeouts.idleMs,
      describeFailure: (error) => s3StoreError(error, `read ${key}`, this.#location),
    });
  }

  async getRange(key: string, start: number, end: number): Promise<Uint8Array | undefined> {
    const found = await this.#open(key, `bytes=${start}-${end - 1}`);
    if (found === undefined) return undefined;
    const download = new CheckedDownload(found.body, {
      expectedBytes: found.output.ContentLength,
      idleTimeoutMs: this.#timeouts.idleMs,
      describeFailure: (error) => s3StoreError(error, `read ${key}`, this.#location),
    });
    return checkRange(await buffer(download), key, start, end, this.url);
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    assertKeyStaysInside(key);
    const output = await this.#attempt(`read ${key}`, async () => {
      try {
        return await this.#clients.requests.send(new HeadObjectCommand(this.#address(key)));
      } catch (error) {
        if (isRefusal(error)) return undefined;
        throw error;
      }
    });
    if (output !== undefined) return describeObject(key, output.ContentLength, output.ETag);
    // The answer to HEAD has no body to tell a missing key from a missing bucket or a wrong secret; that to GET has.
    const found = await this.#open(key);
    found?.body.destroy();
    return found === undefined ? undefined : describeObject(key, found.output.ContentLength, found.output.ETag);
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    if (prefix !== '') assertKeyStaysInside(prefix);
    const base = { Bucket: this.#location.bucket, Prefix: this.#fullKey(prefix) };
    let lastKey: string | undefined;
    do {
      const startAfter = lastKey === undefined ? {} : { StartAfter: lastKey };
      const page = await this.#attempt(`list ${prefix === '' ? 'the keys' : prefix}`, () =>
        this.#clients.requests.send(new ListObjectsV2Command({ ...base, ...startAfter })),
      );
      for (const { Key: fullKey = '', Size, ETag } of page.Contents ?? []) {
        const key = fullKey.slice(this.#location.prefix.length);
        const isFolderMarker = Size === 0 && (key === '' || key.endsWith('/'));
        if (!isFolderMarker) yield describeObject(key, Size, ETag);
      }
      lastKey = page.IsTruncated === true ? page.Contents?.at(-1)?.Key : undefined;
    } while (lastKey !== undefined);
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) assertKeyStaysInside(key);
    for (let start = 0; start < keys.length; start += DELETE_BATCH_KEYS) {
      await this.#deleteBatch(keys.slice(start, start + DELETE_BATCH_KEYS));
    }
  }

  /** @throws {RangeError} for a time below 1 second or above 7 days */
  async downloadUrl(key: string, seconds: number): Promise<string> {
    assertKeyStaysInside(key);
    if (!Number.isInteger(seconds) || seconds < 1 || seconds > MAX_LINK_SECONDS) {
      throw new RangeError(`Cannot make a link valid for ${seconds} seconds: use 1 to ${MAX_LINK_SECONDS} (7 days)`);
    }
    return await this.#attempt(`make a link to ${key}`, () =>
      getSignedUrl(this.#clients.downloads, new GetObjectCommand(this.#address(key)), { expiresIn: seconds }),
    );
  }

  async close(): Promise<void> {
    this.#clients.requests.destroy();
    this.#clients.downloads.destroy();
  }

  async #open(key: string, range?: string): Promise<{ output: GetObjectCommandOutput; body: Readable } | undefined> {
    assertKeyStaysInside(key);
    return await this.#attempt(`read ${key}`, async () => {
      try {
        const output = await this.#clients.downloads.send(
          new GetObjectCommand({ ...this.#address(key), ...(range === undefined ? {} : { Range: range }) }),
        );
        return { output, body: output.Body instanceof Readable ? output.Body : Readable.from([]) };
      } catch (error) {
        if (error instanceof Error && error.name === 'NoSuchKey') return undefined;
        throw error;
      }
    });
  }

  async #deleteBatch(keys: readonly string[]): Promise<void> {
    const action = keys.length === 1 ? `remove ${keys[0]}` : `remove ${keys.length} objects`;
    const Objects = keys.map((key) => ({ Key: this.#fullKey(key) }));
    const { bucket: Bucket } = this.#location;
    const { Errors = [] } = await this.#attempt(action, () =>
      this.#clients.requests.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } })),
    );
    const failed = Errors.find(({ Code }) => Code !== 'NoSuchKey');
    if (failed === undefined) return;
    const error = new Error(`${failed.Key ?? 'a key'}: ${failed.Message ?? 'no reason given'}`);
    error.name = failed.Code ?? 'Error';
    throw s3StoreError(error, action, this.#location);
  }

  async #attempt<T>(action: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw s3StoreError(error, action, this.#location);
    }
  }

  #address(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#location.bucket, Key: this.#fullKey(key) };
  }

  #fullKey(key: string): string {
    return this.#location.prefix + key;
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof S3ServiceException && error.$fault === 'client';
}

function describeObject(key: string, bytes: number | undefined, etag: string | undefined): ObjectInfo {
  return { key, bytes: bytes ?? 0, ...(etag === undefined ? {} : { etag }) };
}
