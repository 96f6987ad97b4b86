import multipart from '@fastify/multipart';
import type { FastifyInstance } from 'fastify';
import type { App } from '../../app.ts';
import { allow } from '../callers.ts';
import { MAX_UPLOAD_BYTES } from '../receive-upload.ts';
import type { BatchKeeper } from './batch-keeper.ts';
import { addBatchRoutes } from './batch-routes.ts';
import { addFileRoutes } from './file-routes.ts';
import { OpenAiError, requestId, sendOpenAiError } from './openai-error.ts';
import { servedModels } from './served-models.ts';

/** OpenAI's own prefix, and those of Azure's clients. */
const PREFIXES = ['/v1', '/openai/v1', '/openai'] as const;

/** Files, batches and models in the shapes of OpenAI, so that its clients move here by their base URL. */
export async function addOpenAiRoutes(server: FastifyInstance, app: App, keeper: BatchKeeper): Promise<void> {
  for (const prefix of PREFIXES) {
    await server.register(async (routes) => await addRoutes(routes, app, keeper, prefix !== '/v1'), { prefix });
  }
}

async function addRoutes(server: FastifyInstance, app: App, keeper: BatchKeeper, hide: boolean): Promise<void> {
  server.setErrorHandler(sendOpenAiError(app));
  server.setNotFoundHandler((request) => {
    throw new OpenAiError(404, `Invalid URL (${request.method} ${request.url.split('?')[0]?.slice(0, 200)})`);
  });
  server.addHook('onRequest', async (_request, reply) => {
    reply.header('x-request-id', requestId());
  });
  await server.register(multipart, {
    limits: { fileSize: MAX_UPLOAD_BYTES, files: 10, fields: 20, parts: 30, fieldSize: 10_000 },
    throwFileSizeLimit: false,
  });
  // curl -d '' says that its empty body is a form.
  server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    if (body === '') return done(null, undefined);
    done(new OpenAiError(415, 'Send the body as application/json, and a file as multipart/form-data.'));
  });
  addFileRoutes(server, app, hide);
  addBatchRoutes(server, app, keeper, hide);
  addModelRoutes(server, app, hide);
}

/** What a line may name as its model: the workflows and the models of the config. */
function addModelRoutes(server: FastifyInstance, app: App, hide: boolean): void {
  const read = (summary: string) => ({ preHandler: allow('read'), schema: { summary, hide } });
  // Nobody keeps when a workflow was made; what is sure is that it is there now.
  const created = Math.floor(app.clock.now() / 1_000);
  const served = servedModels(app.config);
  const modelObject = (id: string) => ({ id, object: 'model', created, owned_by: 'nightmill' });

  server.get('/models', read('OpenAI: what a line may name as its model'), async () => ({
    object: 'list',
    data: [...served.keys()].map(modelObject),
  }));

  server.get('/models/:id', read('OpenAI: a model'), async (request) => {
    const { id } = request.params as { readonly id: string };
    if (served.has(id)) return modelObject(id);
    throw new OpenAiError(404, `The model '${id.slice(0, 100)}' does not exist`, {
      param: 'model',
      code: 'model_not_found',
    });
  });
}
