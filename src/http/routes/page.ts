import { gzipSync } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { readPageFiles } from '../../adapters/page-files/page-files.ts';
import type { App } from '../../app.ts';
import { problem } from '../problem.ts';

/** What needs no key, because there is nothing of anybody's in it. */
export const PAGE_PATHS = ['/', '/assets/:name'] as const;

/** Scripts and styles only from here, and requests only to here; nothing inline, no frames, no forms that leave. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const TYPES: ReadonlyMap<string, string> = new Map([
  ['html', 'text/html; charset=utf-8'],
  ['js', 'text/javascript; charset=utf-8'],
  ['css', 'text/css; charset=utf-8'],
  ['svg', 'image/svg+xml'],
]);

interface ServedFile {
  readonly type: string;
  readonly plain: Buffer;
  readonly packed: Buffer;
}

/** The page, from memory. It is read when it is first asked for: most servers of tests and scripts never are. */
export function addPageRoutes(server: FastifyInstance, app: App): void {
  let files: Promise<ReadonlyMap<string, ServedFile>> | undefined;
  const send = async (request: FastifyRequest, reply: FastifyReply, path: string) => {
    files ??= loadFiles();
    let file: ServedFile | undefined;
    try {
      file = (await files).get(path);
    } catch (error) {
      files = undefined;
      app.log.error('http:failed', { route: '/', message: (error as Error).message });
      const detail = 'The page could not be put together; the log of the server says why. The API works: see /docs.';
      return await reply
        .code(503)
        .type('application/problem+json')
        .send(told(503, 'internal', detail));
    }
    if (file === undefined) {
      const detail = `There is no ${request.url.split('?')[0]} here. Reload the page: it may be of another version.`;
      return await reply
        .code(404)
        .type('application/problem+json')
        .send(told(404, 'usage', detail));
    }
    // Names of assets hold a hash of their content, so they never change.
    if (path !== 'index.html') reply.header('cache-control', 'public, max-age=31536000, immutable');
    reply.header('content-security-policy', PAGE_POLICY).header('vary', 'accept-encoding').type(file.type);
    const packed = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
    if (packed) reply.header('content-encoding', 'gzip');
    return await reply.send(packed ? file.packed : file.plain);
  };
  server.get('/', { schema: { hide: true } }, (request, reply) => send(request, reply, 'index.html'));
  server.get('/assets/:name', { schema: { hide: true } }, (request, reply) =>
    send(request, reply, `assets/${(request.params as { name: string }).name}`),
  );
}

async function loadFiles(): Promise<ReadonlyMap<string, ServedFile>> {
  const files = await readPageFiles();
  return new Map(
    files.flatMap(({ path, text }) => {
      const type = TYPES.get(path.slice(path.lastIndexOf('.') + 1));
      const plain = Buffer.from(text);
      return type === undefined ? [] : [[path, { type, plain, packed: gzipSync(plain, { level: 9 }) }] as const];
    }),
  );
}

function told(status: number, code: string, detail: string): Buffer {
  return Buffer.from(JSON.stringify(problem(status, code, detail)));
}
