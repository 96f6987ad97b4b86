import type { FastifyInstance, FastifyRequest } from 'fastify';
import { maySee } from '../../access/api-key.ts';
import type { App } from '../../app.ts';
import type { FileRecord } from '../../compat/openai-records.ts';
import { storeKeys } from '../../store/store-keys.ts';
import { allow } from '../callers.ts';
import { fileObject } from './batch-object.ts';
import { findFile, hasExpired, removeFile } from './file-content.ts';
import { listPage } from './list-page.ts';
import { invalidValue, OpenAiError } from './openai-error.ts';
import { readLimit } from './read-batch-request.ts';
import { receiveFile } from './receive-file.ts';

const MAX_LISTED = 10_000;

interface ById {
  readonly id: string;
}

/** @param hide the routes are those of another prefix once more: the list of routes does not repeat them */
export function addFileRoutes(server: FastifyInstance, app: App, hide: boolean): void {
  const read = (summary: string) => ({ preHandler: allow('read'), schema: { summary, hide } });
  const change = (summary: string) => ({ preHandler: allow('submit'), schema: { summary, hide } });

  server.post('/files', change('OpenAI: upload a file'), async (request) =>
    fileObject(await receiveFile(app, request)),
  );

  server.get('/files', read('OpenAI: files, newest first'), async (request) => {
    const { purpose, limit, order, after } = request.query as Readonly<Record<string, string | undefined>>;
    if (order !== undefined && order !== 'asc' && order !== 'desc') throw invalidValue('order', order, "'asc', 'desc'");
    const now = app.clock.now();
    const page = await listPage(app.openai.scanFiles({ after, newestFirst: order !== 'asc' }), {
      limit: readLimit(limit, MAX_LISTED, MAX_LISTED),
      isShown: (file) =>
        maySee(request.caller, file.tenant) &&
        !hasExpired(file, now) &&
        (purpose === undefined || file.purpose === purpose),
      show: fileObject,
    });
    if (after !== undefined && !(await app.openai.wasAdded('files', after))) throw noSuchFile(after);
    return page;
  });

  server.get('/files/:id', read('OpenAI: a file'), async (request) => fileObject(await requireFile(app, request)));

  server.delete('/files/:id', change('OpenAI: delete a file'), async (request) => {
    const { id } = await requireFile(app, request);
    await removeFile(app, id);
    return { id, object: 'file', deleted: true };
  });

  server.get('/files/:id/content', read('OpenAI: the content of a file'), async (request, reply) => {
    const { id, bytes, filename } = await requireFile(app, request);
    const content = await app.store.getStream(storeKeys.fileContent(id));
    if (content === undefined) throw noSuchFile(id);
    return reply
      .type('application/octet-stream')
      .header('content-length', bytes)
      .header('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(filename)}`)
      .send(content);
  });
}

/** Only what a caller may see exists for it. */
async function requireFile(app: App, request: FastifyRequest): Promise<FileRecord> {
  const { id } = request.params as ById;
  const file = await findFile(app, id);
  if (file === undefined || !maySee(request.caller, file.tenant)) throw noSuchFile(id);
  return file;
}

function noSuchFile(id: string): OpenAiError {
  return new OpenAiError(404, `No such File object: ${id.slice(0, 100)}`, { param: 'id' });
}
