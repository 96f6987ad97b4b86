import { NightmillError } from '../../errors.ts';
import type { ProxySettings } from '../../runtime/proxy-settings.ts';

export interface S3Settings {
  /** `s3://bucket` or `s3://bucket/prefix`. */
  readonly url: string;
  /** Address of an S3-compatible server; absent for AWS. */
  readonly endpoint?: string | undefined;
  /** Default `us-east-1`. */
  readonly region?: string | undefined;
  /** Bucket in the path, not in the host name. Default: true with an `endpoint`, else false. */
  readonly forcePathStyle?: boolean | undefined;
  /** With `secretAccessKey`; without both, the AWS SDK looks in its usual places (environment, profile, role). */
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
  readonly sessionToken?: string | undefined;
  readonly proxy?: ProxySettings | undefined;
}

/** Where the objects are, and words for messages about it. */
export interface S3Location {
  readonly url: string;
  readonly bucket: string;
  /** `''` or ending in `/`; put before every key. */
  readonly prefix: string;
  /** The endpoint, or `AWS <region>`. */
  readonly server: string;
  readonly region: string;
}

/** @throws {NightmillError} `config_invalid` for a URL without a bucket or half a pair of credentials */
export function readS3Location(settings: S3Settings): S3Location {
  const match = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(settings.url);
  const bucket = match?.[1];
  if (bucket === undefined) {
    throw new NightmillError('config_invalid', `Cannot use ${settings.url} as a store: write s3://bucket/prefix.`);
  }
  if ((settings.accessKeyId === undefined) !== (settings.secretAccessKey === undefined)) {
    const missing = settings.accessKeyId === undefined ? 's3.accessKeyId' : 's3.secretAccessKey';
    throw new NightmillError(
      'config_invalid',
      `Cannot use ${settings.url} as a store: ${missing} is not set. Set both or none.`,
    );
  }
  const folder = (match?.[2] ?? '').replace(/\/+$/, '');
  const region = settings.region ?? 'us-east-1';
  return {
    url: folder === '' ? `s3://${bucket}` : `s3://${bucket}/${folder}`,
    bucket,
    prefix: folder === '' ? '' : `${folder}/`,
    server: settings.endpoint ?? `AWS ${region}`,
    region,
  };
}
