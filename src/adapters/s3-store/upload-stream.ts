import type { Readable } from 'node:stream';
import { AbortMultipartUploadCommand, type S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';

/** Parts of 8 MiB let an object have 78 GiB (S3 takes 10,000 parts); two in flight need about 32 MiB of memory. */
const PART_BYTES = 8 * 1024 * 1024;
const PARTS_IN_FLIGHT = 2;

/** Uploads a stream of unknown length: one request if it fits a part, else multipart. A failure leaves no upload. */
export async function uploadStream(client: S3Client, bucket: string, key: string, body: Readable): Promise<void> {
  const params = { Bucket: bucket, Key: key };
  const upload = new Upload({
    client,
    params: { ...params, Body: body },
    partSize: PART_BYTES,
    queueSize: PARTS_IN_FLIGHT,
  });
  try {
    await upload.done();
  } catch (error) {
    // Upload cleans up after a failed part, not after a failed completion. It may be gone, or the server out of reach.
    const { uploadId } = upload;
    if (uploadId !== undefined) {
      await client.send(new AbortMultipartUploadCommand({ ...params, UploadId: uploadId })).catch(() => {});
    }
    throw error;
  }
}
