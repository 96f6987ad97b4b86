import { type Readable, Transform } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { NightmillError } from '../errors.ts';
import type { InputNames } from '../operations/open-inputs.ts';

/** 64 GiB in one request. */
export const MAX_UPLOAD_BYTES = 64 * 1024 ** 3;

const NAMES: ReadonlyMap<string, string> = new Map([
  ['text/csv', 'body.csv'],
  ['text/tab-separated-values', 'body.tsv'],
  ['application/vnd.apache.parquet', 'body.parquet'],
  ['application/parquet', 'body.parquet'],
  ['application/x-parquet', 'body.parquet'],
]);
const SUFFIXES: ReadonlyMap<string, string> = new Map([
  ['', ''],
  ['identity', ''],
  ['gzip', '.gz'],
  ['x-gzip', '.gz'],
  ['zstd', '.zst'],
]);

/**
 * The body of a request that carries documents, as the inputs it stands for: its bytes as they are, with a name that
 * says their type. What no type says is JSONL.
 *
 * @throws {NightmillError} `usage`: an encoding that is not known, an empty multipart body
 */
export async function receiveUpload(request: FastifyRequest): Promise<Pick<InputNames, 'streams'>> {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (type === 'multipart/form-data') throw new NightmillError('usage', 'A multipart body is read part by part.');
  const encoding = request.headers['content-encoding'] ?? '';
  const suffix = SUFFIXES.get(encoding.toLowerCase());
  if (suffix === undefined) {
    throw new NightmillError(
      'usage',
      `Cannot read Content-Encoding ${JSON.stringify(encoding)}: use gzip, zstd or none.`,
    );
  }
  const { filename } = request.query as { filename?: string };
  const name = filename ?? NAMES.get(type) ?? 'body.jsonl';
  return {
    streams: [{ name: `${name}${filename === undefined ? suffix : ''}`, body: bounded(request.body as Readable) }],
  };
}

/** @throws {NightmillError} (by the stream) `input_too_large` */
export function bounded(body: Readable, most = MAX_UPLOAD_BYTES): Readable {
  let bytes = 0;
  const counting = new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      bytes += chunk.length;
      if (bytes <= most) return callback(null, chunk);
      callback(new NightmillError('input_too_large', `The body has more than ${most} bytes, the most in one request.`));
    },
  });
  body.on('error', (error) => counting.destroy(error));
  // A client that goes away ends neither with an error nor with an end.
  body.on('close', () => {
    if (!body.readableEnded)
      counting.destroy(new NightmillError('interrupted', 'The client went away before the end of its body.'));
  });
  return body.pipe(counting);
}
