import type { FastifyInstance } from 'fastify';
import type { App } from '../../app.ts';
import { escapeHtml } from '../../text/html-page.ts';

/** What needs no key: whether the server lives, and how it is used. */
export function addPublicRoutes(server: FastifyInstance, app: App): void {
  server.get('/healthz', { schema: { summary: 'the process answers' } }, async () => ({ status: 'ok' }));
  server.get('/readyz', { schema: { summary: 'Redis and the store answer' } }, async (_request, reply) => {
    try {
      await app.batches.list(1);
      await app.store.head('readyz');
      return { status: 'ok' };
    } catch (error) {
      app.log.warn('http:failed', { route: '/readyz', message: (error as Error).message });
      return reply.code(503).send({ status: 'unavailable' });
    }
  });
  server.get('/openapi.json', { schema: { hide: true } }, async () => server.swagger());
  server.get('/docs', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(docsPage(server.swagger() as unknown as OpenApi)),
  );
}

interface OpenApi {
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly summary?: string;
            readonly parameters?: readonly {
              readonly name: string;
              readonly in: string;
              readonly required?: boolean;
              readonly description?: string;
            }[];
          }
        >
      >
    >
  >;
}

function docsPage({ info, paths }: OpenApi): string {
  const rows = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { summary = '', parameters = [] }]) => {
      const query = parameters
        .filter((each) => each.in === 'query')
        .map(
          ({ name, required, description }) =>
            `<code>${escapeHtml(name)}${required === true ? '' : '?'}</code>${description === undefined ? '' : ` ${escapeHtml(description)}`}`,
        )
        .join('<br>');
      return `<tr><td><code>${method.toUpperCase()}</code></td><td><code>${escapeHtml(path)}</code></td><td>${escapeHtml(summary)}</td><td>${query}</td></tr>`;
    }),
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(info.title)} API</title>
<style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui;max-width:70rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid #8885}</style>
<h1>${escapeHtml(info.title)} ${escapeHtml(info.version)}</h1><p>Send <code>Authorization: Bearer nm_…</code>; on this machine none is needed. Errors are <code>application/problem+json</code> with a <code>code</code>. The whole description: <a href="/openapi.json">openapi.json</a>.</p>
<table><thead><tr><th>Method<th>Path<th>Does<th>Query</tr></thead><tbody>${rows.join('\n')}</tbody></table></html>`;
}
