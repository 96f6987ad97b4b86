import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkStore } from '../../src/doctor/check-store.ts';
import type { ObjectInfo, ObjectStore } from '../../src/store/object-store.ts';

export interface ObjectStoreContract {
  /** Opens a store that may hold other objects; each test uses keys of its own. */
  open(): Promise<ObjectStore> | ObjectStore;
  /** Whether `downloadUrl` gives a link. */
  readonly hasDownloadLinks: boolean;
  /** False for a test server that lists by language instead of by bytes. */
  readonly listsByBytes: boolean;
  /** Size of the object of the streaming test: more than one part, where there are parts. */
  readonly largeBytes: number;
}

const BAD_KEYS = [
  '',
  '/a',
  'a/',
  'a//b',
  '.',
  '..',
  'a/./b',
  'a/../b',
  '../a',
  'a/..',
  'a\0b',
  `${'x'.repeat(256)}`,
  '\ud800',
];

/** Asserts everything that the port promises, whatever the adapter. */
export function describeObjectStore(name: string, contract: ObjectStoreContract): void {
  describe(name, () => {
    let store: ObjectStore;
    const folder = () => `contract/${randomUUID()}`;

    beforeAll(async () => {
      store = await contract.open();
    });
    afterAll(async () => {
      await store.close();
    });

    it('put() then get() gives back the same bytes', async () => {
      const key = `${folder()}/object.bin`;
      const body = randomBytes(100_000);
      await store.put(key, body);
      expect(body.equals((await store.get(key)) ?? Buffer.of())).toBe(true);
    });

    it('put() keeps an empty object and a key with spaces, umlauts and signs', async () => {
      const key = `${folder()}/ä ö+&=?#%25'"<>/日本 😀.txt`;
      await store.put(key, Buffer.of());
      expect((await store.get(key))?.byteLength).toBe(0);
      expect(await buffer((await store.getStream(key)) ?? Readable.from(['none']))).toHaveLength(0);
      expect((await store.head(key))?.bytes).toBe(0);
      expect(await keysOf(store, key)).toEqual([key]);
      await store.delete([key]);
      expect(await store.get(key)).toBeUndefined();
    });

    it('getRange() gives the bytes asked for, nothing for a missing object, and refuses a range past the end', async () => {
      const key = `${folder()}/object.bin`;
      const body = randomBytes(100_000);
      await store.put(key, body);
      expect(Buffer.from((await store.getRange(key, 70_000, 99_999)) ?? []).equals(body.subarray(70_000, 99_999))).toBe(
        true,
      );
      expect(Buffer.from((await store.getRange(key, 0, 1)) ?? [])).toEqual(body.subarray(0, 1));
      expect(await store.getRange(`${key}.missing`, 0, 1)).toBeUndefined();
      await expect(store.getRange(key, 99_990, 100_010)).rejects.toMatchObject({ code: 'store_unavailable' });
    });

    it('putAll() writes its objects, in several folders too, and none at all', async () => {
      const prefix = folder();
      const objects = ['a/1', 'b/1', 'a/2'].map((name) => ({ key: `${prefix}/${name}`, body: Buffer.from(name) }));
      await store.putAll([]);
      await store.putAll(objects);
      const read = await Promise.all(
        objects.map(async ({ key }) => Buffer.from((await store.get(key)) ?? []).toString()),
      );
      expect(read).toEqual(['a/1', 'b/1', 'a/2']);
      await expect(store.putAll([{ key: `${prefix}/a/../b`, body: Buffer.of() }])).rejects.toThrow(RangeError);
    });

    it('put() replaces an object and changes its etag', async () => {
      const key = `${folder()}/object`;
      await store.put(key, Buffer.from('first'));
      const before = await store.head(key);
      await store.put(key, Buffer.from('later'));
      const after = await store.head(key);
      expect(Buffer.from((await store.get(key)) ?? []).toString()).toBe('later');
      expect(before).toMatchObject({ key, bytes: 5 });
      expect(after?.etag).toBeDefined();
      expect(after?.etag).not.toBe(before?.etag);
    });

    it('put() is not changed by what the caller does to its buffer later', async () => {
      const key = `${folder()}/object`;
      const body = Buffer.from('as written');
      await store.put(key, body);
      body.fill(0);
      expect(Buffer.from((await store.get(key)) ?? []).toString()).toBe('as written');
    });

    it('put() by many writers at once leaves one whole object', async () => {
      const key = `${folder()}/object`;
      const bodies = Array.from({ length: 8 }, (_, index) => Buffer.alloc(200_000, index + 1));
      await Promise.all(bodies.map((body) => store.put(key, body)));
      const read = Buffer.from((await store.get(key)) ?? []);
      expect(bodies.some((body) => body.equals(read))).toBe(true);
    });

    it('putStream() then getStream() gives back a large object', async () => {
      const key = `${folder()}/large`;
      const body = randomBytes(contract.largeBytes);
      await store.putStream(key, Readable.from(slicesOf(body, 100_003)));
      expect((await store.head(key))?.bytes).toBe(body.byteLength);
      const stream = await store.getStream(key);
      expect(body.equals(await buffer(stream ?? Readable.from([])))).toBe(true);
    });

    it('putJoined() writes objects one behind the other and tells what it wrote', async () => {
      const bodies = Array.from({ length: 40 }, (_, index) => randomBytes(index % 7 === 3 ? 0 : 1 + index * 977));
      const sources = bodies.map((_, index) => `${folder()}/parts/${index}`);
      await Promise.all(bodies.map((body, index) => store.put(sources[index] ?? '', body)));
      const whole = Buffer.concat(bodies);
      const key = `${folder()}/joined`;
      expect(await store.putJoined(key, sources)).toEqual({
        bytes: whole.length,
        sha256: createHash('sha256').update(whole).digest('hex'),
      });
      expect(whole.equals((await store.get(key)) ?? new Uint8Array(0))).toBe(true);
    });

    it('putJoined() of nothing writes an empty object', async () => {
      const key = `${folder()}/joined-of-none`;
      expect(await store.putJoined(key, [])).toMatchObject({ bytes: 0 });
      expect((await store.get(key))?.byteLength).toBe(0);
    });

    it('putJoined() of an object that is not there names it and keeps what was there', async () => {
      const [key, there, missing] = ['joined', 'there', 'missing'].map((name) => `${folder()}/partly/${name}`) as [
        string,
        string,
        string,
      ];
      await store.put(key, Buffer.from('old'));
      await store.put(there, Buffer.from('there'));
      await expect(store.putJoined(key, [there, missing])).rejects.toMatchObject({
        name: 'MissingObjectError',
        key: missing,
      });
      expect(Buffer.from((await store.get(key)) ?? []).toString()).toBe('old');
    });

    it('putStream() writes an empty stream as an empty object', async () => {
      const key = `${folder()}/empty`;
      await store.putStream(key, Readable.from([]));
      expect((await store.get(key))?.byteLength).toBe(0);
    });

    it('putStream() writes a stream of strings as UTF-8', async () => {
      const key = `${folder()}/text`;
      await store.putStream(key, Readable.from(['grün', '日本']));
      expect(Buffer.from((await store.get(key)) ?? []).toString()).toBe('grün日本');
    });

    it.each([
      ['at once', 0],
      ['half way', 0.5],
      ['after several parts', 1],
    ])('putStream() of a body that fails %s throws its error and leaves nothing', async (_when, share) => {
      const key = `${folder()}/broken`;
      const failure = new Error('the body broke');
      const bytes = Buffer.alloc(Math.floor(contract.largeBytes * share));
      await expect(store.putStream(key, failingBody(bytes, failure))).rejects.toBe(failure);
      expect(await store.get(key)).toBeUndefined();
      expect(await keysOf(store, key)).toEqual([]);
    });

    it('putStream() of a body that fails keeps the object that was there', async () => {
      const key = `${folder()}/kept`;
      await store.put(key, Buffer.from('old'));
      await expect(store.putStream(key, failingBody(Buffer.from('new'), new Error('broke')))).rejects.toThrow('broke');
      expect(Buffer.from((await store.get(key)) ?? []).toString()).toBe('old');
    });

    it('putStream() of a body that is destroyed without an error leaves nothing', async () => {
      const key = `${folder()}/destroyed`;
      let reads = 0;
      const body = new Readable({
        read() {
          reads += 1;
          if (reads === 1) this.push('begin');
          else this.destroy();
        },
      });
      await expect(store.putStream(key, body)).rejects.toThrow();
      expect(await store.get(key)).toBeUndefined();
    });

    it('putStream() of a body that failed before it was read throws its error', async () => {
      const body = new Readable({ read() {} });
      body.once('error', () => {});
      body.destroy(new Error('failed early'));
      await expect(store.putStream(`${folder()}/early`, body)).rejects.toThrow('failed early');
    });

    it('get(), getStream() and head() of a missing key give undefined', async () => {
      const key = `${folder()}/missing/object`;
      expect(await store.get(key)).toBeUndefined();
      expect(await store.getStream(key)).toBeUndefined();
      expect(await store.head(key)).toBeUndefined();
    });

    it('get(), getStream() and head() of a folder of objects give undefined', async () => {
      const parent = folder();
      await store.put(`${parent}/object`, Buffer.from('x'));
      expect(await store.get(parent)).toBeUndefined();
      expect(await store.getStream(parent)).toBeUndefined();
      expect(await store.head(parent)).toBeUndefined();
      await store.delete([parent]);
      expect(await keysOf(store, parent)).toEqual([`${parent}/object`]);
    });

    it('getStream() can be abandoned', async () => {
      const key = `${folder()}/abandoned`;
      await store.put(key, randomBytes(1_000_000));
      const stream = await store.getStream(key);
      for await (const chunk of stream ?? []) {
        expect(chunk.byteLength).toBeGreaterThan(0);
        break;
      }
      expect(stream?.destroyed).toBe(true);
      (await store.getStream(key))?.destroy();
      expect((await store.get(key))?.byteLength).toBe(1_000_000);
    });

    it('list() gives keys below a prefix in byte order with their sizes', async () => {
      const parent = folder();
      // Byte order is neither the order of a directory walk (`-` and `.` sort before `/`) nor of UTF-16 (U+FFFD, U+1F600).
      const tricky = contract.listsByBytes ? ['é', '\ufffd', '😀'] : [];
      const names = [...(contract.listsByBytes ? ['B'] : []), 'a-b', 'a.b', 'a/b', 'a/c/d', 'a0', 'b', ...tricky];
      for (const [index, name] of names.toReversed().entries()) {
        await store.put(`${parent}/${name}`, Buffer.alloc(names.length - index));
      }
      await store.put(`${parent}-sibling`, Buffer.of());
      const listed = await infosOf(store, `${parent}/`);
      expect(listed.map(({ key }) => key)).toEqual(names.map((name) => `${parent}/${name}`));
      expect(listed.map(({ bytes }) => bytes)).toEqual(names.map((_, index) => index + 1));
      expect(listed[names.indexOf('a/b')]).toEqual(await store.head(`${parent}/a/b`));
      expect(await keysOf(store, `${parent}/a`)).toHaveLength(5);
      expect(await keysOf(store, `${parent}/a/`)).toHaveLength(2);
      expect(await keysOf(store, `${parent}/a/c/`)).toEqual([`${parent}/a/c/d`]);
      expect(await keysOf(store, `${parent}/none/`)).toEqual([]);
      expect(await keysOf(store, '')).toEqual(expect.arrayContaining([`${parent}/a/b`]));
    });

    it('list() and delete() handle more objects than one request of S3 holds', async () => {
      const parent = folder();
      const keys = Array.from({ length: 1005 }, (_, index) => `${parent}/part-${String(index).padStart(6, '0')}`);
      for (let start = 0; start < keys.length; start += 32) {
        await Promise.all(keys.slice(start, start + 32).map((key) => store.put(key, Buffer.of())));
      }
      expect(await keysOf(store, `${parent}/`)).toEqual(keys);
      await store.delete(keys);
      expect(await keysOf(store, `${parent}/`)).toEqual([]);
    });

    it('list() can be left early', async () => {
      const parent = folder();
      await store.put(`${parent}/a`, Buffer.of());
      await store.put(`${parent}/b`, Buffer.of());
      for await (const { key } of store.list(`${parent}/`)) {
        expect(key).toBe(`${parent}/a`);
        break;
      }
    });

    it('delete() removes objects, also when some do not exist, and takes no keys', async () => {
      const parent = folder();
      await store.put(`${parent}/a`, Buffer.from('a'));
      await store.put(`${parent}/b`, Buffer.from('b'));
      await store.delete([`${parent}/a`, `${parent}/missing`, `${parent}/a/below`]);
      await store.delete([]);
      expect(await keysOf(store, `${parent}/`)).toEqual([`${parent}/b`]);
    });

    it('delete() while others write into the same folder loses nothing', async () => {
      const parent = folder();
      const work = Array.from({ length: 20 }, async (_, index) => {
        const key = `${parent}/deep/er/${index}`;
        for (let round = 0; round < 10; round += 1) {
          await store.put(key, Buffer.from(String(round)));
          await store.delete([key]);
        }
        if (index % 2 === 0) await store.put(key, Buffer.from(String(index)));
      });
      await Promise.all(work);
      expect(await keysOf(store, `${parent}/`)).toHaveLength(10);
    });

    it.each(BAD_KEYS)('put() and putStream() refuse the key %j', async (key) => {
      await expect(store.put(key, Buffer.of())).rejects.toThrow(RangeError);
      await expect(store.putStream(key, Readable.from([]))).rejects.toThrow(RangeError);
      await expect(store.putJoined(key, [])).rejects.toThrow(RangeError);
    });

    it.each(['', '/a', '..', 'a/../b', '../a', 'a\0b'])('reading and removing refuse the key %j', async (key) => {
      await expect(store.get(key)).rejects.toThrow(RangeError);
      await expect(store.getStream(key)).rejects.toThrow(RangeError);
      await expect(store.head(key)).rejects.toThrow(RangeError);
      await expect(store.delete([key])).rejects.toThrow(RangeError);
      if (key !== '') await expect(keysOf(store, key)).rejects.toThrow(RangeError);
    });

    it('downloadUrl() gives a link that works without credentials, or none', async () => {
      const key = `${folder()}/ä linked.txt`;
      await store.put(key, Buffer.from('for everyone'));
      const link = await store.downloadUrl(key, 60);
      if (!contract.hasDownloadLinks) {
        expect(link).toBeUndefined();
        return;
      }
      const response = await fetch(link ?? '');
      expect(await response.text()).toBe('for everyone');
      expect(response.status).toBe(200);
    });

    it('checkStore() passes and leaves nothing behind', async () => {
      const id = randomUUID();
      await checkStore(store, id);
      expect(await keysOf(store, `.nightmill-probe/${id}`)).toEqual([]);
    });

    it('close() may be called twice', async () => {
      const other = await contract.open();
      await other.close();
      await other.close();
    });
  });
}

async function infosOf(store: ObjectStore, prefix: string): Promise<ObjectInfo[]> {
  return await Array.fromAsync(store.list(prefix));
}

async function keysOf(store: ObjectStore, prefix: string): Promise<string[]> {
  return (await infosOf(store, prefix)).map(({ key }) => key);
}

/** A stream of `bytes` that then fails. */
export function failingBody(bytes: Uint8Array, failure: Error): Readable {
  return Readable.from(
    (function* () {
      yield* slicesOf(bytes, 64 * 1024);
      throw failure;
    })(),
  );
}

function* slicesOf(bytes: Uint8Array, sliceBytes: number): Generator<Uint8Array> {
  for (let start = 0; start < bytes.byteLength; start += sliceBytes) yield bytes.subarray(start, start + sliceBytes);
}
