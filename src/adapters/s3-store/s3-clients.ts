import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { nodeAgents } from '../outbound/proxy.ts';
import type { S3Settings } from './s3-settings.ts';

export interface S3Timeouts {
  /** For the TCP and TLS connection. */
  readonly connectMs: number;
  /** For a request on which nothing moves. */
  readonly idleMs: number;
}

export const DEFAULT_S3_TIMEOUTS: S3Timeouts = { connectMs: 5000, idleMs: 60_000 };

export interface S3Clients {
  /** For everything but downloads: a request ends when its socket is idle for too long. */
  readonly requests: S3Client;
  /**
   * For downloads: waits so long for the answer to begin, then leaves the clock to `CheckedDownload`, because the
   * socket of a reader that takes its time is idle too.
   */
  readonly downloads: S3Client;
}

export function createS3Clients(settings: S3Settings, region: string, timeouts: S3Timeouts): S3Clients {
  const { endpoint, accessKeyId, secretAccessKey, sessionToken } = settings;
  const shared: S3ClientConfig = {
    region,
    forcePathStyle: settings.forcePathStyle ?? endpoint !== undefined,
    retryMode: 'standard',
    maxAttempts: 3,
    // The SDK's newer default checksums are unknown to many S3-compatible servers.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) } }),
  };
  const { connectMs, idleMs } = timeouts;
  return {
    requests: new S3Client({
      ...shared,
      requestHandler: { connectionTimeout: connectMs, socketTimeout: idleMs, ...nodeAgents(settings.proxy) },
    }),
    downloads: new S3Client({
      ...shared,
      requestHandler: {
        connectionTimeout: connectMs,
        socketTimeout: 0,
        requestTimeout: idleMs,
        throwOnRequestTimeout: true,
        ...nodeAgents(settings.proxy),
      },
    }),
  };
}
