// Creates the store's bucket if it is not there: node create-bucket.js NAME. The endpoint, the region and the keys are
// the SDK's own variables (AWS_ENDPOINT_URL_S3, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY).
import { CreateBucketCommand, HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';

const bucket = process.argv[2];
if (bucket === undefined) {
  process.stderr.write('Cannot create a bucket without its name: node create-bucket.js NAME\n');
  process.exit(2);
}
const client = new S3Client({ forcePathStyle: true });
try {
  await client.send(new HeadBucketCommand({ Bucket: bucket }));
  process.stdout.write(`The bucket ${bucket} is there.\n`);
} catch (error) {
  if (error.$metadata?.httpStatusCode !== 404) throw error;
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    process.stdout.write(`Created the bucket ${bucket}.\n`);
  } catch (failure) {
    // Another one was faster.
    if (failure.name !== 'BucketAlreadyOwnedByYou') throw failure;
  }
}
