import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { S3Store } from '../../src/adapters/s3-store/s3-store.ts';
import { describeObjectStore, failingBody } from '../contract/object-store.ts';
import { describeStoreInbox } from '../contract/store-inbox.ts';

/** Set by `npm run test:s3`, which starts the server and creates its users. */
const endpoint = process.env.NIGHTMILL_TEST_S3_ENDPOINT;
const OWNER = { accessKeyId: 'owner-key', secretAccessKey: 'owner-secret' };
const STRANGER = { accessKeyId: 'stranger-key', secretAccessKey: 'stranger-secret' };
const LARGE_BYTES = 20 * 1024 * 1024;

describe.skipIf(endpoint === undefined)('S3Store on a real S3 server (npm run test:s3)', () => {
  const bucket = `nightmill-${randomUUID()}`;
  const client = new S3Client({
    endpoint: endpoint ?? '',
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: OWNER,
  });

  beforeAll(async () => {
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
  });
  afterAll(() => client.destroy());

  describeObjectStore('contract', {
    open: () => new S3Store({ url: `s3://${bucket}/some/prefix`, endpoint, ...OWNER }),
    hasDownloadLinks: true,
    listsByBytes: true,
    largeBytes: LARGE_BYTES,
  });

  describeStoreInbox('S3Store', () => new S3Store({ url: `s3://${bucket}/inboxes`, endpoint, ...OWNER }));

  it.each([
    ['an unknown access key', { ...OWNER, accessKeyId: 'nobody' }, 'Correct s3.accessKeyId'],
    ['a wrong secret key', { ...OWNER, secretAccessKey: 'wrong' }, 'Correct s3.secretAccessKey'],
    ['a user without rights', STRANGER, 's3:ListBucket'],
  ])('%s is denied with the fix', async (_who, credentials, cure) => {
    const store = storeAt(bucket, credentials);
    const denied = { code: 'store_denied', message: expect.stringContaining(cure) };
    await expect(store.put('a', Buffer.from('x'))).rejects.toMatchObject(denied);
    await expect(store.get('a')).rejects.toMatchObject(denied);
    await expect(store.head('a')).rejects.toMatchObject(denied);
    await expect(Array.fromAsync(store.list(''))).rejects.toMatchObject(denied);
    await expect(store.delete(['a'])).rejects.toMatchObject(denied);
  });

  it('a missing bucket is denied with its name', async () => {
    const store = storeAt('missing-bucket', OWNER);
    const denied = { code: 'store_denied', message: expect.stringContaining('missing-bucket does not exist') };
    await expect(store.put('a', Buffer.from('x'))).rejects.toMatchObject(denied);
    await expect(store.get('a')).rejects.toMatchObject(denied);
    await expect(store.head('a')).rejects.toMatchObject(denied);
    await expect(Array.fromAsync(store.list(''))).rejects.toMatchObject(denied);
  });

  it('a body that fails after several parts leaves no multipart upload', async () => {
    const body = failingBody(Buffer.alloc(LARGE_BYTES), new Error('the body broke'));
    await expect(storeAt(bucket, OWNER).putStream('broken', body)).rejects.toThrow('the body broke');
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    expect(Uploads).toEqual([]);
  });

  function storeAt(name: string, credentials: typeof OWNER): S3Store {
    const store = new S3Store({ url: `s3://${name}`, endpoint, ...credentials });
    onTestFinished(() => store.close());
    return store;
  }
});
