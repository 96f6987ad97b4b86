import type { Readable } from 'node:stream';
import multipart from '@fastify/multipart';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import PQueue from 'p-queue';
import { z } from 'zod';
import { workflowOf } from '../../../config/config.ts';
import type { App } from '../../app.ts';
import { NightmillError } from '../../errors.ts';
import { modelPlansJson, planModels } from '../../operations/evidence/plan-models.ts';
import { readingOf } from '../../operations/input-reading.ts';
import { type InputNames, type OpenedInputs, openInputs } from '../../operations/open-inputs.ts';
import { planDocuments, planJson } from '../../operations/plan-documents.ts';
import { readDeadline, readExpiry } from '../../operations/read-deadline.ts';
import { readStatus } from '../../operations/read-status.ts';
import { statusJson } from '../../operations/status-json.ts';
import { submitDocuments } from '../../operations/submit-documents.ts';
import {
  readBudget,
  readLabels,
  readName,
  readNames,
  readPriority,
  readTenant,
} from '../../operations/submit-values.ts';
import { allow, appFor } from '../callers.ts';
import { bytesOf, partsOf } from '../multipart-parts.ts';
import { MAX_UPLOAD_BYTES, receiveUpload } from '../receive-upload.ts';

const reading = {
  workflow: z.string(),
  filename: z
    .string()
    .max(200)
    .optional()
    .describe('what the body would be called as a file; its suffix says its type'),
  textField: z.string().optional(),
  idField: z.string().optional(),
  metadataFields: z.string().optional(),
  encoding: z.string().optional(),
  budgetUsd: z.string().optional(),
};
const submitQuery = z.object({
  ...reading,
  id: z.string().optional(),
  tenant: z.string().optional(),
  priority: z.string().optional(),
  deadline: z.string().optional(),
  expires: z.string().optional(),
  name: z.string().optional(),
  label: z.union([z.string(), z.array(z.string())]).optional(),
  skipInvalid: z.enum(['true', 'false']).optional(),
  newOnly: z.enum(['true', 'false']).optional(),
});
const planQuery = z.object({
  ...reading,
  tenant: z.string().optional().describe('whose cascade and limits count'),
  newOnly: z.enum(['true', 'false']).optional(),
  models: z.string().optional().describe('names with commas between: a plan for each, in place of the cascade'),
});

const verdict = z.object({
  requirement: z.string(),
  state: z.enum(['met', 'unmet', 'unknown']),
  want: z.string(),
  found: z.string(),
  by: z.string().optional().describe('where it is not met: by how much'),
});
const requirements = z
  .array(verdict)
  .nullable()
  .describe('which requirements of the workflow would be met; null: it has none');
const planned = z.looseObject({
  warnings: z
    .array(z.string())
    .optional()
    .describe('what is assumed of its models, and each requirement that is not met; not with models'),
  requirements: requirements.optional(),
  candidates: z.array(z.looseObject({ model: z.string().nullable(), requirements })).optional(),
});
const submittedBatch = z.looseObject({
  id: z.string(),
  ignored: z.array(z.string()).describe('what was asked for and has no effect, because the batch was there already'),
  warnings: z
    .array(z.string())
    .describe(
      'requirements of the workflow that are not met with the latency and cost of its latest batch and the quota of today',
    ),
});

/** Smaller ones take little memory, and should not wait for large ones. */
const LARGE_BYTES = 8 * 1024 * 1024;
/** Each takes memory for every document that it has, and one processor reads them all: more at once would only be more memory. */
const LARGE_AT_ONCE = 2;

/** Routes whose body is documents: it is streamed, whatever its type. */
export async function addUploadRoutes(server: FastifyInstance, app: App): Promise<void> {
  server.removeAllContentTypeParsers();
  await server.register(multipart, {
    limits: { fileSize: MAX_UPLOAD_BYTES, files: 10_000, fields: 100, parts: 10_100 },
  });
  server.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  const large = new PQueue({ concurrency: LARGE_AT_ONCE });
  const inTurn = async <T>(opened: OpenedInputs, work: () => Promise<T>): Promise<T> =>
    opened.spooledBytes < LARGE_BYTES ? await work() : await large.add(work);

  server.post(
    '/api/v1/batches',
    {
      preHandler: allow('submit'),
      schema: {
        querystring: submitQuery,
        summary: 'submit documents: the body',
        response: { 200: submittedBatch, 201: submittedBatch },
      },
    },
    async (request, reply) => {
      const query = request.query as z.infer<typeof submitQuery>;
      const values = submitValues(request, query, app.clock.now());
      await using opened = await openBody(app, request, query);
      const submitted = await inTurn(opened, () =>
        submitDocuments(appFor(app, request), { workflow: query.workflow, source: opened.source, ...values }),
      );
      const { ignored, warnings } = submitted;
      const view = { ...statusJson(await readStatus(app, submitted.batchId)), ignored, warnings };
      return reply
        .code(submitted.kind === 'submitted' ? 201 : 200)
        .header('location', `/api/v1/batches/${submitted.batchId}`)
        .send(view);
    },
  );

  server.post(
    '/api/v1/plan',
    {
      preHandler: allow('read'),
      schema: {
        querystring: planQuery,
        summary: 'what a batch would cost, and which requirements it would meet; nothing is stored',
        response: { 200: planned },
      },
    },
    async (request) => {
      const query = request.query as z.infer<typeof planQuery>;
      const budget = readBudget(query.budgetUsd);
      await using opened = await openBody(app, request, query);
      const { store } = app.submit;
      const tenant = tenantOf(request, readTenant(query.tenant));
      const asked = { workflow: query.workflow, opened, tenant, store };
      if (query.models !== undefined) {
        const models = readNames(query.models);
        return modelPlansJson(query.workflow, await inTurn(opened, () => planModels(app.config, { ...asked, models })));
      }
      const newOnly = query.newOnly === 'true';
      const now = app.clock.now();
      return planJson(await inTurn(opened, () => planDocuments(app.config, { ...asked, budget, now, newOnly })));
    },
  );
}

/** @param now milliseconds since the epoch */
function submitValues(request: FastifyRequest, query: z.infer<typeof submitQuery>, now: number) {
  return {
    id: query.id,
    budget: readBudget(query.budgetUsd),
    tenant: tenantOf(request, readTenant(query.tenant)),
    priority: query.priority === undefined ? undefined : readPriority(query.priority),
    deadline: readDeadline(query.deadline, now),
    expiresAt: readExpiry(query.expires, now),
    name: readName(query.name),
    labels: readLabels(query.label === undefined ? undefined : [query.label].flat()),
    skipInvalid: query.skipInvalid === 'true',
    newOnly: query.newOnly === 'true',
    traceparent: [request.headers['traceparent']].flat()[0],
  };
}

async function openBody(
  app: App,
  request: FastifyRequest,
  query: Pick<z.infer<typeof planQuery>, keyof typeof reading>,
) {
  const { input } = workflowOf(app.config, query.workflow);
  const how = readingOf(
    {
      ...(query.textField === undefined ? {} : { textField: query.textField }),
      ...(query.idField === undefined ? {} : { idField: query.idField }),
      ...(query.metadataFields === undefined ? {} : { metadataFields: query.metadataFields }),
      ...(query.encoding === undefined ? {} : { encoding: query.encoding }),
    },
    input,
  );
  const names: InputNames = {
    names: [],
    streams: request.isMultipart() ? filesOf(request) : ((await receiveUpload(request)).streams ?? []),
  };
  return await openInputs(app.config, names, how);
}

/** Files of a multipart body; each is read to its end before the next one comes. */
async function* filesOf(request: FastifyRequest): AsyncGenerator<{ name: string; body: Readable }, void, undefined> {
  let found = 0;
  for await (const part of partsOf(request)) {
    if (part.type !== 'file') continue;
    found += 1;
    yield { name: part.filename, body: bytesOf(part) };
  }
  if (found === 0) throw new NightmillError('usage', 'The multipart body has no file.');
}

/** A key of a tenant submits for that one. */
function tenantOf({ caller }: FastifyRequest, asked: string | undefined): string | undefined {
  if (caller.rights.has('operate')) return asked ?? caller.tenant;
  if (asked === undefined || asked === caller.tenant) return caller.tenant;
  throw new NightmillError(
    'right_missing',
    `The key ${JSON.stringify(caller.name)} may not submit for the tenant ${JSON.stringify(asked)}.`,
  );
}
