import { S3ServiceException } from '@aws-sdk/client-s3';
import { StoreError } from '../../errors.ts';
import type { S3Location } from './s3-settings.ts';

/** Server errors whose name says more than their status. */
const CURES: Readonly<Record<string, (location: S3Location) => string>> = {
  NoSuchBucket: ({ bucket, server }) =>
    `the bucket ${bucket} does not exist. Create it at ${server}, or correct the name in \`store\``,
  AccessDenied: ({ bucket }) =>
    `access to the bucket ${bucket} is denied. Allow these credentials s3:GetObject, s3:PutObject, s3:DeleteObject, ` +
    `s3:AbortMultipartUpload and s3:ListBucket on it`,
  InvalidAccessKeyId: ({ bucket, server }) =>
    `${server} does not know the access key used for the bucket ${bucket}. Correct s3.accessKeyId`,
  SignatureDoesNotMatch: ({ bucket }) =>
    `the secret key used for the bucket ${bucket} is wrong. Correct s3.secretAccessKey`,
  ExpiredToken: ({ bucket }) => `the session token used for the bucket ${bucket} has expired. Fetch new credentials`,
  PermanentRedirect: wrongRegion,
  AuthorizationHeaderMalformed: wrongRegion,
  IllegalLocationConstraintException: wrongRegion,
};

/** Throttling that comes with a 4xx status or with none. */
const THROTTLING = new Set([
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TooManyRequests',
  'RequestLimitExceeded',
]);

const FULL = new Set(['QuotaExceeded', 'XMinioStorageFull', 'InsufficientStorage']);

/**
 * The `StoreError` for whatever the SDK threw.
 *
 * @param action what was not possible, e.g. `write batches/a/manifest.json`
 */
export function s3StoreError(error: unknown, action: string, location: S3Location): StoreError {
  if (error instanceof StoreError) return error;
  const failure = `Cannot ${action} in the store ${location.url}`;
  const name = error instanceof Error ? error.name : 'Error';
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  const options = { cause: error };

  if (FULL.has(name) || status === 507) {
    const cure = 'Free some space there or raise the quota, then run the same command again';
    return new StoreError('store_full', `${failure}: ${location.server} has no room left (${name}). ${cure}.`, options);
  }
  const cure = CURES[name]?.(location) ?? (status === 403 ? CURES.AccessDenied?.(location) : undefined);
  if (cure !== undefined) return new StoreError('store_denied', `${failure}: ${cure} (${name}).`, options);
  if (name === 'CredentialsProviderError') {
    const advice = 'Set s3.accessKeyId and s3.secretAccessKey, the AWS_* variables, a profile or a role';
    return new StoreError(
      'store_denied',
      `${failure}: no credentials for the bucket ${location.bucket}. ${advice}.`,
      options,
    );
  }
  if (
    status !== undefined &&
    status >= 400 &&
    status < 500 &&
    status !== 408 &&
    status !== 429 &&
    !THROTTLING.has(name)
  ) {
    return new StoreError(
      'store_denied',
      `${failure}: ${location.server} refused the request on the bucket ${location.bucket}: ${reasonOf(error)}.`,
      options,
    );
  }
  const advice = 'Check that the address is right and the server runs, then try again';
  return new StoreError(
    'store_unavailable',
    `${failure}: ${location.server} is not available: ${reasonOf(error)}. ${advice}.`,
    options,
  );
}

function wrongRegion({ bucket, region }: S3Location): string {
  return `the bucket ${bucket} is not in the region ${region}. Set s3.region to the bucket's region`;
}

/** Name and message; a failed connection has its reason in the code or, tried on several addresses, in the parts. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join('; ');
  if (!(error instanceof Error)) return String(error);
  const message = error.message.replace(/\.$/, '');
  return error.name === 'Error' || message.includes(error.name) ? message : `${error.name}: ${message}`;
}
