import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openStore } from '../../src/adapters/open-store.ts';
import { S3Store } from '../../src/adapters/s3-store/s3-store.ts';
import { describeObjectStore } from '../contract/object-store.ts';
import { describeStoreInbox } from '../contract/store-inbox.ts';

const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };
const LARGE_BYTES = 20 * 1024 * 1024;

let server: FauxqsServer;
beforeAll(async () => {
  server = await startFauxqs({ port: 0, logger: false });
  server.createBucket('contract');
});
afterAll(async () => {
  await server.stop();
});

describeObjectStore('S3Store', {
  open: () => openStore({ url: 's3://contract/some/prefix/', endpoint: server.address, ...CREDENTIALS }),
  hasDownloadLinks: true,
  // fauxqs orders keys with localeCompare; the suite against radosgw checks the order of bytes.
  listsByBytes: false,
  largeBytes: LARGE_BYTES,
});

describeStoreInbox('S3Store', () =>
  openStore({ url: 's3://contract/inboxes/', endpoint: server.address, ...CREDENTIALS }),
);

describe('S3Store', () => {
  it('reads, lists and removes objects of other programs and leaves out empty folder markers', async () => {
    await putForeignObjects(
      ['inbox/', 'inbox/empty/', 'inbox/a//b', 'inbox/c/', 'inbox/d'],
      ['inbox/', 'inbox/empty/'],
    );
    const store = storeAt({ url: 's3://contract/inbox' });
    const keys = (await Array.fromAsync(store.list(''))).map(({ key }) => key);
    expect(keys).toEqual(['a//b', 'c/', 'd']);
    for (const key of keys) expect(await store.get(key)).toHaveLength(1);
    await store.delete(keys);
    expect(await Array.fromAsync(store.list(''))).toEqual([]);
  });

  it.each(['get', 'getStream', 'head', 'downloads', 'put', 'putStream', 'list', 'delete'] as const)(
    '%s() of a missing bucket names the bucket and the fix',
    async (method) => {
      const store = storeAt({ url: 's3://missing-bucket/prefix' });
      const calls = {
        get: () => store.get('a'),
        getStream: () => store.getStream('a'),
        head: () => store.head('a'),
        downloads: async () => await (await store.getStream('a'))?.toArray(),
        put: () => store.put('a', Buffer.from('x')),
        putStream: () => store.putStream('a', Readable.from(['x'])),
        list: () => Array.fromAsync(store.list('')),
        delete: () => store.delete(['a']),
      };
      await expect(calls[method]()).rejects.toMatchObject({
        name: 'StoreError',
        code: 'store_denied',
        retryable: false,
        message: expect.stringMatching(/missing-bucket does not exist\. Create it/),
      });
    },
  );

  it('an endpoint where nothing listens is unavailable, with its address', async () => {
    const { address, close } = await serve(() => {});
    await close();
    const store = storeAt({ url: 's3://contract', endpoint: address });
    const unavailable = {
      code: 'store_unavailable',
      retryable: true,
      message: expect.stringMatching(new RegExp(`${address} is not available: .*ECONNREFUSED`)),
    };
    await expect(store.get('a')).rejects.toMatchObject(unavailable);
    await expect(store.put('a', Buffer.from('x'))).rejects.toMatchObject(unavailable);
    await expect(store.putStream('a', Readable.from(['x']))).rejects.toMatchObject(unavailable);
    await expect(Array.fromAsync(store.list(''))).rejects.toMatchObject(unavailable);
  });

  it.each([
    ['NoSuchBucket', 404, 'store_denied', 'bucket contract does not exist'],
    ['AccessDenied', 403, 'store_denied', 's3:ListBucket'],
    ['InvalidAccessKeyId', 403, 'store_denied', 'Correct s3.accessKeyId'],
    ['SignatureDoesNotMatch', 403, 'store_denied', 'Correct s3.secretAccessKey'],
    ['ExpiredToken', 400, 'store_denied', 'has expired'],
    ['AuthorizationHeaderMalformed', 400, 'store_denied', 'Set s3.region'],
    ['InvalidRequest', 400, 'store_denied', 'refused the request'],
    ['QuotaExceeded', 403, 'store_full', 'no room left'],
    ['XMinioStorageFull', 507, 'store_full', 'no room left'],
    ['InternalError', 500, 'store_unavailable', 'InternalError'],
    ['SlowDown', 503, 'store_unavailable', 'SlowDown'],
  ])('%s becomes a StoreError with the fix', async (name, status, code, part) => {
    const { address } = await serve((request, response) => {
      request.resume();
      response.writeHead(status, { 'content-type': 'application/xml' });
      response.end(`<Error><Code>${name}</Code><Message>as the server says</Message></Error>`);
    });
    const store = storeAt({ endpoint: address });
    const expected = {
      code,
      message: expect.stringMatching(new RegExp(`^Cannot write a in the store s3://contract: .*${part}`)),
    };
    await expect(store.put('a', Buffer.from('x'))).rejects.toMatchObject(expected);
    // The SDK backs off for seconds before it tries again what was throttled.
    if (status === 503) return;
    await expect(store.putStream('a', Readable.from(['x']))).rejects.toMatchObject(expected);
    await expect(store.get('a')).rejects.toMatchObject({ code, message: expect.stringContaining(part) });
    await expect(store.head('a')).rejects.toMatchObject({ code });
  });

  it('no credentials anywhere are denied with the places to put them', async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE', 'AWS_WEB_IDENTITY_TOKEN_FILE']) {
      vi.stubEnv(name, undefined);
    }
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nowhere/credentials');
    vi.stubEnv('AWS_CONFIG_FILE', '/nowhere/config');
    onTestFinished(() => void vi.unstubAllEnvs());
    const store = new S3Store({ url: 's3://contract', endpoint: server.address });
    await expect(store.get('a')).rejects.toMatchObject({
      code: 'store_denied',
      message: expect.stringContaining('Set s3.accessKeyId and s3.secretAccessKey'),
    });
    await store.close();
  });

  it('a server that is no S3 server is refused or unavailable, never an object', async () => {
    const { address } = await serve((_request, response) => response.writeHead(404).end('<html>not here</html>'));
    await expect(storeAt({ endpoint: address }).get('a')).rejects.toMatchObject({ name: 'StoreError' });
    await expect(storeAt({ endpoint: address }).head('a')).rejects.toMatchObject({ name: 'StoreError' });
  });

  it('delete() sends at most 1,000 keys in a request', async () => {
    const sent: number[] = [];
    const { address } = await serve(async (request, response) => {
      sent.push((await text(request)).split('<Key>').length - 1);
      response.end('<DeleteResult></DeleteResult>');
    });
    await storeAt({ endpoint: address }).delete(Array.from({ length: 2001 }, (_, index) => `key-${index}`));
    expect(sent).toEqual([1000, 1000, 1]);
  });

  it('an access denied for one of many keys fails delete()', async () => {
    const { address } = await serve((request, response) => {
      request.resume();
      response.end(
        '<DeleteResult><Error><Key>b</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>',
      );
    });
    await expect(storeAt({ endpoint: address }).delete(['a', 'b'])).rejects.toMatchObject({ code: 'store_denied' });
  });

  it.each([
    ['ends the connection', (socket: { destroy(): void; end(): void }) => socket.destroy()],
    ['closes it politely', (socket: { destroy(): void; end(): void }) => socket.end()],
  ])('a download whose server %s half way is an error, not a short read', async (_how, cut) => {
    const { address } = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': 1_000_000 });
      response.write(Buffer.alloc(500_000), () => response.socket && cut(response.socket));
    });
    const store = storeAt({ endpoint: address });
    const broken = { code: 'store_unavailable', message: expect.stringContaining('Cannot read a in the store') };
    await expect(store.get('a')).rejects.toMatchObject(broken);
    const stream = await store.getStream('a');
    await expect(stream?.toArray()).rejects.toMatchObject(broken);
  });

  it('a server that never answers is unavailable after the idle time', async () => {
    const { address } = await serve((request) => request.resume());
    const store = storeAt({ endpoint: address }, 200);
    await expect(store.get('a')).rejects.toMatchObject({ code: 'store_unavailable' });
    await expect(store.put('a', Buffer.from('x'))).rejects.toMatchObject({ code: 'store_unavailable' });
  });

  it('a download that goes silent fails after the idle time', async () => {
    const { address } = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write('begin');
    });
    const stream = await storeAt({ endpoint: address }, 200).getStream('a');
    await expect(stream?.toArray()).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('no data came for 200 ms'),
    });
  });

  it('a reader may take longer than the idle time between two reads', async () => {
    const body = Buffer.alloc(8_000_000, 7);
    const { address } = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': body.byteLength });
      response.end(body);
    });
    let bytes = 0;
    for await (const chunk of (await storeAt({ endpoint: address }, 200).getStream('a')) ?? []) {
      if (bytes === 0) await delay(700);
      bytes += chunk.byteLength;
    }
    expect(bytes).toBe(body.byteLength);
  });

  it('a failed multipart upload is aborted, whichever request fails', async () => {
    for (const failing of ['part', 'complete'] as const) {
      const requests: string[] = [];
      const { address } = await serve((request, response) => {
        request.resume().once('end', () => {
          const step = multipartStep(request.method, request.url);
          requests.push(step);
          if (step === failing) response.writeHead(400).end('<Error><Code>InvalidPart</Code></Error>');
          else if (step === 'create') {
            response.end('<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>');
          } else response.writeHead(200, { etag: '"e"' }).end();
        });
      });
      const body = Readable.from([Buffer.alloc(LARGE_BYTES)]);
      await expect(storeAt({ endpoint: address }).putStream('a', body)).rejects.toMatchObject({ code: 'store_denied' });
      expect(requests[0]).toBe('create');
      expect(requests.at(-1)).toBe('abort');
      expect(body.destroyed).toBe(true);
    }
  });

  it('downloadUrl() refuses a life that S3 does not give', async () => {
    for (const seconds of [0, 1.5, 604_801]) {
      await expect(storeAt({}).downloadUrl('a', seconds)).rejects.toThrow(RangeError);
    }
  });
});

describe('openStore()', () => {
  it('opens each kind of store and shows its URL', async () => {
    expect((await openStore({ url: 'memory:' })).url).toBe('memory:');
    expect((await openStore({ url: 's3://bucket/prefix/' })).url).toBe('s3://bucket/prefix');
    expect((await openStore({ url: 's3://bucket' })).url).toBe('s3://bucket');
    expect((await openStore({ url: 'file:///data/a%20b' })).url).toBe('file:/data/a b');
    expect((await openStore({ url: 'file:/data' })).url).toBe('file:/data');
    expect((await openStore({ url: 'file:./store' })).url).toBe(`file:${process.cwd()}/store`);
  });

  it.each(['s3://', 's3:bucket', 'file:', 'file://host/path', 'http://bucket', '/data', 'memory'])(
    'refuses %s with the forms that work',
    async (url) => {
      await expect(openStore({ url })).rejects.toThrow(expect.objectContaining({ code: 'config_invalid' }));
      await expect(openStore({ url })).rejects.toThrow(`Cannot use ${url} as a store`);
    },
  );

  it('refuses half a pair of credentials', async () => {
    await expect(openStore({ url: 's3://b', accessKeyId: 'a' })).rejects.toThrow('s3.secretAccessKey is not set');
    await expect(openStore({ url: 's3://b', secretAccessKey: 'a' })).rejects.toThrow('s3.accessKeyId is not set');
  });
});

function storeAt(settings: { url?: string; endpoint?: string }, idleMs = 60_000): S3Store {
  const store = new S3Store(
    { url: 's3://contract', endpoint: server.address, ...CREDENTIALS, ...settings },
    { connectMs: 1000, idleMs },
  );
  onTestFinished(() => store.close());
  return store;
}

/** A server of a test's own, closed with the test. */
async function serve(listener: RequestListener): Promise<{ address: string; close: () => Promise<void> }> {
  const http = createServer(listener).listen(0, '127.0.0.1');
  await once(http, 'listening');
  const close = async () => {
    if (!http.listening) return;
    http.closeAllConnections();
    http.close();
    await once(http, 'close');
  };
  onTestFinished(close);
  return { address: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, close };
}

/** Keys that this program would not write; the `empty` ones without content. */
async function putForeignObjects(keys: readonly string[], empty: readonly string[]): Promise<void> {
  const client = new S3Client({
    endpoint: server.address,
    region: 'us-east-1',
    credentials: CREDENTIALS,
    forcePathStyle: true,
  });
  onTestFinished(() => client.destroy());
  for (const key of keys) {
    await client.send(
      new PutObjectCommand({ Bucket: 'contract', Key: key, Body: Buffer.from(empty.includes(key) ? '' : 'x') }),
    );
  }
}

function multipartStep(method = '', url = ''): 'create' | 'part' | 'complete' | 'abort' | 'other' {
  if (method === 'POST') return url.includes('uploads') ? 'create' : 'complete';
  if (method === 'PUT' && url.includes('partNumber')) return 'part';
  return method === 'DELETE' ? 'abort' : 'other';
}
