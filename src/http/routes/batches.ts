import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { maySee } from '../../access/api-key.ts';
import type { App } from '../../app.ts';
import { BATCH_STATES } from '../../batches/batch-states.ts';
import { NightmillError } from '../../errors.ts';
import { cancelBatch } from '../../operations/end-batches.ts';
import { readStatusAndModels } from '../../operations/figures/batch-models.ts';
import { pauseNamed, resumeNamed } from '../../operations/pauses.ts';
import { listStatuses, readStatus, requireBatch } from '../../operations/read-status.ts';
import { deleteBatch } from '../../operations/recovery/delete-batch.ts';
import { linkResults, readDigest, readManifest } from '../../operations/results.ts';
import { retryBatch } from '../../operations/retry-batch.ts';
import { showDocument } from '../../operations/show-document.ts';
import { statusJson } from '../../operations/status-json.ts';
import { readBudget } from '../../operations/submit-values.ts';
import { allow, appFor } from '../callers.ts';
import { sendRows, sendTable } from '../send-rows.ts';

const params = z.object({ id: z.string().max(200) });
const isTrue = z.enum(['true', 'false']).optional();

const listQuery = z.object({
  state: z.enum(BATCH_STATES as [string, ...string[]]).optional(),
  open: isTrue.describe('true: only what has not ended'),
  workflow: z.string().optional(),
  tenant: z.string().optional(),
  since: z.iso.datetime({ offset: true }).optional().describe('created at or after'),
  after: z.string().optional().describe('the last id of the page before'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

/** Only what a caller may see exists for it: another tenant's batch is as unknown as none. */
export async function requireVisible(app: App, request: FastifyRequest, id: string): Promise<void> {
  const batch = await requireBatch(app, id);
  if (!maySee(request.caller, batch.tenant)) {
    throw new NightmillError(
      'batch_unknown',
      `There is no batch ${JSON.stringify(id)} here. nightmill status lists those there are.`,
    );
  }
}

const read = { preHandler: allow('read') };
const change = { preHandler: allow('submit') };

export function addBatchRoutes(server: FastifyInstance, app: App): void {
  addStatusRoutes(server, app);
  addChangeRoutes(server, app);
  addRowRoutes(server, app);
  addDocumentRoute(server, app);
}

function addStatusRoutes(server: FastifyInstance, app: App): void {
  server.get(
    '/api/v1/batches',
    { ...read, schema: { querystring: listQuery, summary: 'batches, newest first' } },
    async (request) => {
      const { since, open, ...query } = request.query as z.infer<typeof listQuery>;
      const { caller } = request;
      const statuses = await listStatuses(app, {
        ...(query as Omit<typeof query, 'state'> & { state?: (typeof BATCH_STATES)[number] }),
        open: open === 'true',
        ...(since === undefined ? {} : { since: Date.parse(since) }),
        visible: ({ tenant }) => maySee(caller, tenant),
      });
      return {
        batches: statuses.map(statusJson),
        next: statuses.length === query.limit ? statuses.at(-1)?.batchId : null,
      };
    },
  );

  server.get(
    '/api/v1/batches/:id',
    { ...read, schema: { params, summary: 'a batch, as status --json' } },
    async (request) => {
      const { id } = request.params as z.infer<typeof params>;
      await requireVisible(app, request, id);
      return statusJson(await readStatusAndModels(app, id));
    },
  );
}

const documentParams = params.extend({ document: z.string().max(512) });

function addDocumentRoute(server: FastifyInstance, app: App): void {
  server.get(
    '/api/v1/batches/:id/documents/:document',
    { ...read, schema: { params: documentParams, summary: 'one document: text, answer or error, attempts, cost' } },
    async (request) => {
      const { id, document } = request.params as z.infer<typeof documentParams>;
      await requireVisible(app, request, id);
      return await showDocument(app, id, document);
    },
  );
}

const retryBody = z
  .object({
    codes: z.array(z.string()).optional(),
    statuses: z.array(z.string()).optional(),
    budgetUsd: z.number().nonnegative().optional(),
  })
  .nullish();

function addChangeRoutes(server: FastifyInstance, app: App): void {
  server.delete(
    '/api/v1/batches/:id',
    { preHandler: allow('operate'), schema: { params, summary: 'remove an ended batch from store and Redis' } },
    async (request) => await deleteBatch(appFor(app, request), (request.params as z.infer<typeof params>).id),
  );
  for (const [verb, act] of [
    ['pause', pauseNamed],
    ['resume', resumeNamed],
    ['cancel', cancelBatch],
  ] as const) {
    server.post(
      `/api/v1/batches/:id/${verb}`,
      { ...change, schema: { params, summary: `${verb} a batch` } },
      async (request, reply) => {
        const { id } = request.params as z.infer<typeof params>;
        await requireVisible(app, request, id);
        await act(appFor(app, request), id);
        const batch = await app.batches.get(id);
        // One that was still being submitted is forgotten.
        if (batch === undefined) return reply.code(204).send();
        return statusJson(await readStatus(app, id));
      },
    );
  }

  server.post(
    '/api/v1/batches/:id/retry',
    { ...change, schema: { params, body: retryBody, summary: 'ask failed documents again' } },
    async (request, reply) => {
      const { id } = request.params as z.infer<typeof params>;
      await requireVisible(app, request, id);
      const { budgetUsd, ...which } = (request.body as z.infer<typeof retryBody>) ?? {};
      const retried = await retryBatch(appFor(app, request), {
        batchId: id,
        ...which,
        budget: readBudget(budgetUsd),
      });
      return reply
        .code(retried.kind === 'submitted' ? 201 : 200)
        .send({ ...statusJson(await readStatus(app, id)), retry: retried.batchId });
    },
  );
}

const digestQuery = z.object({ format: z.enum(['md', 'html']).default('md') });
const rowsQuery = z.object({
  partial: isTrue,
  link: isTrue,
  format: z.enum(['jsonl', 'csv', 'parquet']).default('jsonl'),
});

function addRowRoutes(server: FastifyInstance, app: App): void {
  for (const kind of ['results', 'errors'] as const) {
    server.get(
      `/api/v1/batches/:id/${kind}`,
      { ...read, schema: { params, querystring: rowsQuery, summary: `${kind} as JSONL, CSV or Parquet, streamed` } },
      async (request, reply) => {
        const { id } = request.params as z.infer<typeof params>;
        const { partial, link, format } = request.query as z.infer<typeof rowsQuery>;
        await requireVisible(app, request, id);
        if (link === 'true') {
          const { links, expiresInSeconds } = await linkResults(app, id);
          return {
            expiresInSeconds,
            links: links.filter(({ key }) => key.includes(kind === 'results' ? '/output/' : '/errors/')),
          };
        }
        const rows = { batchId: id, kind, partial: partial === 'true' };
        if (format !== 'jsonl') return await sendTable(app, request, reply, { ...rows, as: format });
        return await sendRows(app, request, reply, rows);
      },
    );
  }

  server.get(
    '/api/v1/batches/:id/manifest',
    { ...read, schema: { params, summary: 'manifest.json' } },
    async (request, reply) => {
      const { id } = request.params as z.infer<typeof params>;
      await requireVisible(app, request, id);
      return reply.type('application/json').send(Buffer.from(await readManifest(app, id)));
    },
  );

  server.get(
    '/api/v1/batches/:id/digest',
    { ...read, schema: { params, querystring: digestQuery, summary: 'digest.md, or digest.html' } },
    async (request, reply) => {
      const { id } = request.params as z.infer<typeof params>;
      const { format } = request.query as z.infer<typeof digestQuery>;
      await requireVisible(app, request, id);
      const pages = await readDigest(app, id);
      const page = pages.find(({ name }) => name === `digest.${format}`);
      return reply.type(format === 'md' ? 'text/markdown; charset=utf-8' : 'text/html').send(page?.bytes);
    },
  );
}
