import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { maySee } from '../../access/api-key.ts';
import type { App } from '../../app.ts';
import type { CompatBatch } from '../../compat/openai-records.ts';
import { allow } from '../callers.ts';
import type { BatchKeeper } from './batch-keeper.ts';
import { batchObject, statusOf } from './batch-object.ts';
import { readProgress } from './batch-progress.ts';
import { findFile } from './file-content.ts';
import { listPage } from './list-page.ts';
import { OpenAiError } from './openai-error.ts';
import { type BatchRequest, readBatchRequest, readLimit } from './read-batch-request.ts';

const MAX_LISTED = 100;
const LISTED = 20;
const MAX_KEY_UNITS = 255;

export function addBatchRoutes(server: FastifyInstance, app: App, keeper: BatchKeeper, hide: boolean): void {
  const read = (summary: string) => ({ preHandler: allow('read'), schema: { summary, hide } });
  const change = (summary: string) => ({ preHandler: allow('submit'), schema: { summary, hide } });
  const show = async (batch: CompatBatch) => batchObject(batch, await readProgress(app, batch));

  server.post('/batches', change('OpenAI: a batch from a file'), async (request) => {
    const batch = await createBatch(app, request);
    keeper.move(batch.id);
    return await show(batch);
  });

  server.get('/batches', read('OpenAI: batches, newest first'), async (request) => {
    const { limit, after } = request.query as Readonly<Record<string, string | undefined>>;
    if (after !== undefined) await requireBatch(app, request, after);
    return await listPage(app.openai.scanBatches({ after, newestFirst: true }), {
      limit: readLimit(limit, MAX_LISTED, LISTED),
      isShown: (batch) => isShown(batch, request),
      show,
    });
  });

  server.get('/batches/:id', read('OpenAI: a batch'), async (request) => await show(await requireBatch(app, request)));

  server.post('/batches/:id/cancel', change('OpenAI: cancel a batch'), async (request) => {
    const batch = await requireBatch(app, request);
    const status = statusOf(batch);
    if (status === 'completed' || status === 'failed' || status === 'expired') {
      throw new OpenAiError(409, `Cannot cancel a batch with status '${status}'.`);
    }
    // What is being put together is done: it ends as completed.
    if (status === 'validating' || status === 'in_progress') {
      await app.openai.noteStep(batch.id, 'cancelling', { at: app.clock.now() });
      keeper.move(batch.id);
    }
    return await show(await requireBatch(app, request));
  });
}

/** The batch is made, or found where the same was asked for with the same idempotency key. */
async function createBatch(app: App, request: FastifyRequest): Promise<CompatBatch> {
  const { caller } = request;
  const asked = readBatchRequest(request.body);
  const key = idempotencyKeyOf(request, asked);
  const file = await findFile(app, asked.inputFileId);
  const createdAt = app.clock.now();
  const batch: CompatBatch = {
    id: key === undefined ? `batch_${app.submit.newId().replaceAll('-', '')}` : `batch_${keyedId(key, caller.tenant)}`,
    ...(caller.tenant === undefined ? {} : { tenant: caller.tenant }),
    actor: caller.name,
    createdAt,
    endpoint: asked.endpoint,
    completionWindow: asked.completionWindow,
    expiresAt: createdAt + asked.windowMs,
    inputFileId: asked.inputFileId,
    mayReadFile: file !== undefined && file.purpose === 'batch' && maySee(caller, file.tenant),
    metadata: asked.metadata,
    ...(asked.outputSeconds === undefined ? {} : { outputSeconds: asked.outputSeconds }),
    requestHash: hashOf(asked),
  };
  if (await addOrTakeBack(app, batch, key !== undefined)) return batch;
  const known = await app.openai.getBatch(batch.id);
  if (known !== undefined && known.requestHash === batch.requestHash) return known;
  throw new OpenAiError(409, 'The idempotency key was used for a batch with other parameters. Use another key.', {
    param: 'idempotency_key',
    code: 'idempotency_key_reused',
  });
}

/**
 * A batch whose creation fails may be there all the same. Its client is told of an error and asks again: without an
 * idempotency key that makes another batch, so that this one must not run. With a key, that finds this one.
 */
export async function addOrTakeBack(
  { openai, clock }: Pick<App, 'openai' | 'clock'>,
  batch: CompatBatch,
  hasKey: boolean,
): Promise<boolean> {
  try {
    return await openai.addBatch(batch);
  } catch (error) {
    if (!hasKey) await openai.noteStep(batch.id, 'cancelling', { at: clock.now() }).catch(() => {});
    throw error;
  }
}

function idempotencyKeyOf({ headers }: FastifyRequest, { idempotencyKey }: BatchRequest): string | undefined {
  const header = headers['idempotency-key'];
  const key = typeof header === 'string' && header !== '' ? header : idempotencyKey;
  if (key === undefined || (key.length > 0 && key.length <= MAX_KEY_UNITS)) return key;
  throw new OpenAiError(400, `Invalid 'idempotency_key': use 1 to ${MAX_KEY_UNITS} characters.`, {
    param: 'idempotency_key',
    code: 'invalid_value',
  });
}

/** Keys of two tenants never meet. */
function keyedId(key: string, tenant: string | undefined): string {
  return createHash('sha256')
    .update(`${tenant ?? ''}\0${key}`)
    .digest('hex')
    .slice(0, 32);
}

function hashOf({ idempotencyKey: _, metadata, ...asked }: BatchRequest): string {
  const pairs = metadata === null ? null : Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([asked, pairs]))
    .digest('hex');
}

/** Those of the Anthropic-shaped routes are in their lists alone. */
function isShown({ id, tenant }: CompatBatch, { caller }: FastifyRequest): boolean {
  return id.startsWith('batch_') && maySee(caller, tenant);
}

/** Only what a caller may see exists for it. */
async function requireBatch(
  app: App,
  request: FastifyRequest,
  id = (request.params as { readonly id: string }).id,
): Promise<CompatBatch> {
  const batch = await app.openai.getBatch(id);
  if (batch !== undefined && isShown(batch, request)) return batch;
  throw new OpenAiError(404, `No batch found with id '${id.slice(0, 100)}'.`);
}
