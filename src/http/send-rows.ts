import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../app.ts';
import { type RowKind, rowFiles } from '../operations/results.ts';
import { csvTable } from '../results/csv-table.ts';
import { type ResultFile, unpackFiles } from '../results/result-files.ts';
import { tableOf, tableRows } from '../results/table-rows.ts';

/** Fast rather than small: the other end is mostly on the same network. */
const PACKING_LEVEL = 1;

export interface SentRows {
  readonly batchId: string;
  readonly kind: RowKind;
  readonly partial: boolean;
}

/**
 * Streams a batch's rows, a part of them where `Range` asks for one, else packed where the client takes gzip. They are
 * packed again: the files in the store are many gzip members one behind the other, and browsers, httpx and others stop
 * after the first without a word.
 */
export async function sendRows(
  app: App,
  request: FastifyRequest,
  reply: FastifyReply,
  { batchId, kind, partial }: SentRows,
): Promise<FastifyReply> {
  const files = await rowFiles(app, batchId, kind, { partial });
  reply.type('application/x-ndjson').header('vary', 'accept-encoding').header('accept-ranges', 'bytes');
  const { range } = request.headers;
  const packed = range === undefined && takesGzip(request);
  if (!partial) reply.header('etag', etagOf(files, packed));
  if (packed) {
    reply.header('content-encoding', 'gzip');
    // An error of the store has to end the response, not leave it open.
    const gzip = createGzip({ level: PACKING_LEVEL });
    pipeline(Readable.from(unpackFiles(app.store, files)), gzip, () => {});
    return reply.send(gzip);
  }
  const total = range === undefined ? undefined : await count(unpackFiles(app.store, files));
  return await sendRange(request, reply, total, () => unpackFiles(app.store, files));
}

/** Streams them as a table; it is made again each time, so there are no parts of it. */
export async function sendTable(
  app: App,
  request: FastifyRequest,
  reply: FastifyReply,
  { batchId, kind, partial, as }: SentRows & { readonly as: 'csv' | 'parquet' },
): Promise<FastifyReply> {
  const files = await rowFiles(app, batchId, kind, { partial });
  const table = await tableOf(app.store, batchId, kind);
  const format = as === 'csv' ? csvTable : (await import('../adapters/parquet-table/parquet-table.ts')).parquetTable;
  const rows = tableRows(table, unpackFiles(app.store, files));
  const content = Readable.from(format.pieces(table.columns, rows), { objectMode: false });
  reply
    .type(format.mediaType)
    .header('vary', 'accept-encoding')
    .header('content-disposition', `attachment; filename="${batchId}-${kind}.${as}"`);
  if (as === 'parquet' || !takesGzip(request)) return reply.send(content);
  const gzip = createGzip({ level: PACKING_LEVEL });
  pipeline(content, gzip, () => {});
  return reply.header('content-encoding', 'gzip').send(gzip);
}

function takesGzip({ headers }: FastifyRequest): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$|\s))/.test(headers['accept-encoding'] ?? '');
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
