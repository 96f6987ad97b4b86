import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { App } from '../../app.ts';
import { compareRuns, runComparisonJson } from '../../operations/evidence/compare-runs.ts';
import { listChanges } from '../../operations/evidence/model-changes.ts';
import { allow } from '../callers.ts';

const changesQuery = z.object({ workflow: z.string().optional() });
const compareQuery = z.object({
  run: z.union([z.string(), z.array(z.string())]).describe('two runs of nightmill eval or more, each as run=ID'),
});

/** What is known of how good workflows are. */
export function addEvidenceRoutes(server: FastifyInstance, app: App): void {
  server.get(
    '/api/v1/changes',
    {
      preHandler: allow('read'),
      schema: { querystring: changesQuery, summary: 'changes of prompts, models and prices, newest first' },
    },
    async (request) => ({ changes: await listChanges(app, (request.query as z.infer<typeof changesQuery>).workflow) }),
  );
  // Answers to documents of any tenant are in it.
  server.get(
    '/api/v1/compare',
    {
      preHandler: allow('operate'),
      schema: {
        querystring: compareQuery,
        summary: 'runs of nightmill eval side by side, and which requirements each meets; no call is made',
      },
    },
    async (request) => {
      const { run } = request.query as z.infer<typeof compareQuery>;
      return runComparisonJson(await compareRuns(app, [run].flat()));
    },
  );
}
