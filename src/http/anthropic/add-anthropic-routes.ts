import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { maySee } from '../../access/api-key.ts';
import type { App } from '../../app.ts';
import type { CompatBatch } from '../../compat/openai-records.ts';
import { storeKeys } from '../../store/store-keys.ts';
import { allow } from '../callers.ts';
import type { BatchKeeper } from '../openai/batch-keeper.ts';
import { addOrTakeBack } from '../openai/batch-routes.ts';
import { removeFile, storeContent } from '../openai/file-content.ts';
import { requestId } from '../openai/openai-error.ts';
import { servedModels } from '../openai/served-models.ts';
import { bounded } from '../receive-upload.ts';
import { AnthropicError, sendAnthropicError } from './anthropic-error.ts';
import { hasEnded, messageBatch, REQUESTS_KEY } from './message-batch.ts';
import { RequestLines } from './read-requests.ts';
import { resultLines } from './result-lines.ts';

/** As Anthropic's own. */
const MAX_BODY_BYTES = 256 * 1024 * 1024;
const WINDOW_MS = 24 * 3_600_000;
const MAX_LISTED = 1_000;
const LISTED = 20;
const ID_START = 'msgbatch_';

/** Message batches in the shapes of Anthropic: the same batches as those of the OpenAI-compatible endpoint, asked for in other words. */
export async function addAnthropicRoutes(server: FastifyInstance, app: App, keeper: BatchKeeper): Promise<void> {
  const read = (summary: string) => ({ preHandler: allow('read'), schema: { summary } });
  const change = (summary: string) => ({ preHandler: allow('submit'), schema: { summary } });
  const show = async (batch: CompatBatch, request: FastifyRequest) => await messageBatch(app, batch, originOf(request));
  server.setErrorHandler(sendAnthropicError(app));
  server.addHook('onRequest', async (_request, reply) => {
    reply.header('request-id', requestId());
  });

  await server.register(async (routes) => {
    // Requests go to the store as they come.
    routes.removeContentTypeParser('application/json');
    routes.addContentTypeParser('application/json', (_request, body, done) => done(null, body));
    routes.post('/v1/messages/batches', change('Anthropic: a batch of messages'), async (request) => {
      const batch = await createBatch(app, request);
      keeper.move(batch.id);
      return await show(batch, request);
    });
  });

  server.get(
    '/v1/messages/batches',
    read('Anthropic: batches, newest first'),
    async (request) => await listBatches(app, request, show),
  );

  server.get(
    '/v1/messages/batches/:id',
    read('Anthropic: a batch'),
    async (request) => await show(await requireBatch(app, request), request),
  );

  server.post('/v1/messages/batches/:id/cancel', change('Anthropic: cancel a batch'), async (request) => {
    const batch = await requireBatch(app, request);
    if (!hasEnded(batch) && batch.finalizing === undefined) {
      await app.openai.noteStep(batch.id, 'cancelling', { at: app.clock.now() });
      keeper.move(batch.id);
    }
    return await show(await requireBatch(app, request), request);
  });

  server.delete('/v1/messages/batches/:id', change('Anthropic: forget a batch that has ended'), async (request) => {
    const batch = await requireBatch(app, request);
    if (!hasEnded(batch)) {
      throw new AnthropicError(
        400,
        `The batch ${batch.id} has not ended. Cancel it first, and delete it when it has ended.`,
      );
    }
    await app.openai.noteStep(batch.id, 'deleted', { at: app.clock.now() });
    const files = [batch.inputFileId, batch.ended?.outputFileId, batch.ended?.errorFileId];
    for (const file of files) if (typeof file === 'string') await removeFile(app, file);
    return { id: batch.id, type: 'message_batch_deleted' };
  });

  server.get(
    '/v1/messages/batches/:id/results',
    read('Anthropic: the results of a batch that has ended, as JSON lines'),
    async (request, reply) => {
      const batch = await requireBatch(app, request);
      if (!hasEnded(batch))
        throw new AnthropicError(404, `The batch ${batch.id} has no results yet, because it has not ended.`);
      return await reply
        .type('application/x-jsonl')
        .send(Readable.from(resultLines(app, batch), { objectMode: false }));
    },
  );
}

async function createBatch(app: App, { body, caller }: FastifyRequest): Promise<CompatBatch> {
  const tenant = caller.tenant === undefined ? {} : { tenant: caller.tenant };
  const newId = () => app.submit.newId().replaceAll('-', '');
  const file = `file-${newId()}`;
  const { count, ...stored } = await storeRequests(app, file, body as Readable);
  const createdAt = app.clock.now();
  const expiresAt = createdAt + WINDOW_MS;
  await app.openai.addFile({
    id: file,
    ...tenant,
    purpose: 'batch',
    filename: `${file}.jsonl`,
    ...stored,
    createdAt,
    // Results of parts that were never asked are read from it, as long as the batch is there: Anthropic keeps them for 29 days.
    expiresAt: createdAt + 29 * WINDOW_MS,
  });
  const batch: CompatBatch = {
    id: `${ID_START}${newId()}`,
    ...tenant,
    actor: caller.name,
    createdAt,
    endpoint: '/v1/chat/completions',
    completionWindow: '24h',
    expiresAt,
    inputFileId: file,
    mayReadFile: true,
    metadata: { [REQUESTS_KEY]: String(count) },
    requestHash: createHash('sha256').update(stored.sha256).digest('hex'),
  };
  await addOrTakeBack(app, batch, false);
  return batch;
}

/** The requests of a body as a batch file. What is refused leaves nothing behind. */
async function storeRequests(app: App, file: string, body: Readable) {
  const lines = new RequestLines({ models: servedModels(app.config), maxLineBytes: app.config.ingest.maxLineBytes });
  try {
    const stored = await storeContent(app, file, lines.read(bounded(body, MAX_BODY_BYTES)));
    return { ...stored, count: lines.count };
  } catch (error) {
    await app.store.delete([storeKeys.fileContent(file)]);
    throw lines.fault ?? error;
  }
}

async function listBatches(
  app: App,
  request: FastifyRequest,
  show: (batch: CompatBatch, request: FastifyRequest) => Promise<object>,
): Promise<object> {
  const { limit, after_id: after, before_id: before } = request.query as Readonly<Record<string, string | undefined>>;
  const most = limit === undefined ? LISTED : Number(limit);
  if (!Number.isInteger(most) || most < 1 || most > MAX_LISTED) {
    throw new AnthropicError(
      400,
      `limit: it is a whole number from 1 to ${MAX_LISTED}, not ${String(limit).slice(0, 40)}`,
    );
  }
  const cursor = before ?? after;
  if (cursor !== undefined) await requireBatch(app, request, cursor);
  const found: CompatBatch[] = [];
  let hasMore = false;
  // What comes before a batch in a list of the newest first is newer.
  for await (const batch of app.openai.scanBatches({ after: cursor, newestFirst: before === undefined })) {
    if (!isShown(batch, request)) continue;
    hasMore = found.length === most;
    if (hasMore) break;
    found.push(batch);
  }
  if (before !== undefined) found.reverse();
  return {
    data: await Promise.all(found.map((batch) => show(batch, request))),
    has_more: hasMore,
    first_id: found[0]?.id ?? null,
    last_id: found.at(-1)?.id ?? null,
  };
}

function isShown({ id, tenant, deleted }: CompatBatch, { caller }: FastifyRequest): boolean {
  return id.startsWith(ID_START) && deleted === undefined && maySee(caller, tenant);
}

/** Only what a caller may see exists for it. */
async function requireBatch(
  app: App,
  request: FastifyRequest,
  id = (request.params as { readonly id: string }).id,
): Promise<CompatBatch> {
  const batch = await app.openai.getBatch(id);
  if (batch !== undefined && isShown(batch, request)) return batch;
  throw new AnthropicError(404, `There is no message batch ${JSON.stringify(id.slice(0, 100))}.`);
}

/** As the client has reached this server, so that its results are asked for at the same place. */
function originOf({ protocol, host }: FastifyRequest): string {
  return `${protocol}://${host}`;
}
