import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { workflowOf } from '../../../config/config.ts';
import type { App } from '../../app.ts';
import { NightmillError } from '../../errors.ts';
import { rowsToCorrect } from '../../operations/evidence/golden.ts';
import { addGolden, correctionsIn, readGolden } from '../../operations/evidence/golden-store.ts';
import { CORRECTION_COLUMNS, correctionCells } from '../../operations/evidence/golden-table.ts';
import { csvText } from '../../results/csv-table.ts';
import { labelsOf } from '../../workflows/workflow.ts';
import { allow } from '../callers.ts';
import { requireVisible } from './batches.ts';

const MAX_TABLE_BYTES = 32 * 1024 * 1024;
const MAX_ROWS = 1_000;

const batchParams = z.object({ id: z.string() });
const workflowParams = z.object({ workflow: z.string() });
const rowsQuery = z.object({
  sample: z.coerce.number().int().min(1).max(MAX_ROWS).default(100).describe('so many answers, chosen at random'),
  document: z
    .union([z.string(), z.array(z.string()).max(MAX_ROWS)])
    .optional()
    .describe('these documents in their place'),
  format: z.enum(['json', 'csv']).default('json'),
});
const goldenQuery = z.object({ format: z.enum(['json', 'jsonl']).default('json') });
const correctionsBody = z.object({
  corrections: z
    .array(
      z.object({
        id: z.string().min(1),
        wanted: z.string().optional().describe('what is right; absent: the answer is'),
      }),
    )
    .min(1)
    .max(MAX_ROWS),
});

/** Golden sets from rows that people have corrected. They have texts of any tenant, so all of it needs `operate`. */
export async function addGoldenRoutes(server: FastifyInstance, app: App): Promise<void> {
  const operate = { preHandler: allow('operate') };
  server.addContentTypeParser('text/csv', { parseAs: 'buffer', bodyLimit: MAX_TABLE_BYTES }, (_request, body, done) =>
    done(null, body),
  );

  server.get(
    '/api/v1/batches/:id/golden',
    {
      ...operate,
      schema: { params: batchParams, querystring: rowsQuery, summary: 'answers to look at, as golden export' },
    },
    async (request, reply) => {
      const { id } = request.params as z.infer<typeof batchParams>;
      const { sample, document, format } = request.query as z.infer<typeof rowsQuery>;
      await requireVisible(app, request, id);
      const rows = await rowsToCorrect(app, id, document === undefined ? { sample } : { ids: [document].flat() });
      if (format === 'json') {
        const { workflow } = await app.slices.submission(id);
        return { batch: id, workflow: workflow.name, labels: labelsOf(workflow), rows };
      }
      return reply
        .header('content-type', 'text/csv; charset=utf-8')
        .header('content-disposition', 'attachment; filename="golden.csv"')
        .send(csvText(CORRECTION_COLUMNS, rows.map(correctionCells)));
    },
  );

  server.post(
    '/api/v1/batches/:id/golden',
    {
      ...operate,
      schema: {
        params: batchParams,
        summary:
          'adds corrected rows to the golden set of the workflow: {"corrections": [{"id", "wanted"}]}, or the table as text/csv',
      },
    },
    async (request) => {
      const { id } = request.params as z.infer<typeof batchParams>;
      await requireVisible(app, request, id);
      return await addGolden(app, id, readBody(request.body));
    },
  );

  server.get(
    '/api/v1/workflows/:workflow/golden',
    {
      ...operate,
      schema: { params: workflowParams, querystring: goldenQuery, summary: 'the golden set of a workflow' },
    },
    async (request, reply) => {
      const { workflow } = request.params as z.infer<typeof workflowParams>;
      const { format } = request.query as z.infer<typeof goldenQuery>;
      workflowOf(app.config, workflow);
      const items = await readGolden(app, workflow);
      if (format === 'json') return { workflow, items };
      return reply
        .header('content-type', 'application/x-ndjson')
        .header('content-disposition', 'attachment; filename="golden.jsonl"')
        .send(items.map((item) => `${JSON.stringify(item)}\n`).join(''));
    },
  );
}

function readBody(body: unknown) {
  if (body instanceof Uint8Array) return correctionsIn(body, 'the table');
  const parsed = correctionsBody.safeParse(body);
  if (!parsed.success) {
    throw new NightmillError(
      'usage',
      'Cannot read the corrections: send {"corrections": [{"id": "…", "wanted": "…"}]}, at most 1,000, or the filled-in table as text/csv.',
    );
  }
  return parsed.data.corrections.map(({ id, wanted }) => ({ id, ...(wanted === undefined ? {} : { wanted }) }));
}
