import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../app.ts';
import { type RowKind, rowFiles } from '../operations/results.ts';
import { type ResultFile, unpackFiles } from '../results/result-files.ts';
import type { ObjectStore } from '../store/object-store.ts';

/**
 * Streams a batch's rows. The files are gzip already, and gzip files one behind the other are one: where the client
 * takes gzip nothing is unpacked and the length is known.
 */
export async function sendRows(
  app: App,
  request: FastifyRequest,
  reply: FastifyReply,
  { batchId, kind, partial }: { readonly batchId: string; readonly kind: RowKind; readonly partial: boolean },
): Promise<FastifyReply> {
  const files = await rowFiles(app, batchId, kind, { partial });
  reply.type('application/x-ndjson').header('vary', 'accept-encoding').header('accept-ranges', 'bytes');
  const packed = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$|\s))/.test(request.headers['accept-encoding'] ?? '');
  const sizes = files.every((file) => file.bytes !== undefined);
  if (!partial) reply.header('etag', etagOf(files, packed));
  if (packed) {
    reply.header('content-encoding', 'gzip');
    const total = sizes ? files.reduce((sum, { bytes = 0 }) => sum + bytes, 0) : undefined;
    return await sendRange(request, reply, total, () => packedBytes(app.store, files));
  }
  const range = request.headers.range;
  const total = range === undefined ? undefined : await count(unpackFiles(app.store, files));
  return await sendRange(request, reply, total, () => unpackFiles(app.store, files));
}

async function sendRange(
  request: FastifyRequest,
  reply: FastifyReply,
  total: number | undefined,
  open: () => AsyncIterable<Uint8Array>,
): Promise<FastifyReply> {
  const range = total === undefined ? undefined : readRange(request.headers.range, total);
  const changed = request.headers['if-range'] !== undefined && request.headers['if-range'] !== reply.getHeader('etag');
  if (total === undefined || range === undefined || changed) {
    if (total !== undefined) reply.header('content-length', total);
    return reply.send(Readable.from(open()));
  }
  if (range === 'outside') {
    reply.removeHeader('content-encoding');
    reply.removeHeader('content-type');
    return reply.code(416).header('content-range', `bytes */${total}`).send('');
  }
  const { start, end } = range;
  reply
    .code(206)
    .header('content-range', `bytes ${start}-${end - 1}/${total}`)
    .header('content-length', end - start);
  return reply.send(Readable.from(cut(open(), start, end)));
}

/** One range as RFC 9110 has it, `end` not included; undefined: none, or several, which are answered whole. */
export function readRange(
  header: string | undefined,
  total: number,
): { readonly start: number; readonly end: number } | 'outside' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(0, total - Number(last)) : Number(first);
  const end = first === '' || last === '' ? total : Math.min(total, Number(last) + 1);
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  return start >= end ? 'outside' : { start, end };
}

async function* cut(
  bytes: AsyncIterable<Uint8Array>,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let at = 0;
  for await (const chunk of bytes) {
    const piece = chunk.subarray(Math.max(0, start - at), Math.max(0, end - at));
    if (piece.length > 0) yield piece;
    at += chunk.length;
    if (at >= end) return;
  }
}

async function* packedBytes(
  store: ObjectStore,
  files: readonly ResultFile[],
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const { key } of files) {
    const body = await store.getStream(key);
    if (body === undefined) throw new Error(`${key} is missing`);
    yield* body as AsyncIterable<Uint8Array>;
  }
}

async function count(bytes: AsyncIterable<Uint8Array>): Promise<number> {
  let total = 0;
  for await (const chunk of bytes) total += chunk.length;
  return total;
}

function etagOf(files: readonly ResultFile[], packed: boolean): string {
  const sums = files
    .map(({ sha256 = '' }) => sha256.slice(0, 16))
    .join('-')
    .slice(0, 200);
  return `"${sums}${packed ? '.gz' : ''}"`;
}
