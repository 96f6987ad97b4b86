import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { App } from '../../app.ts';
import { listQueues, queueDetailJson, queueJson, readQueue } from '../../operations/figures/queues.ts';
import { allow } from '../callers.ts';

const operate = { preHandler: allow('operate') };
const params = z.object({ name: z.string() });

/** What stands in the queues: jobs hold ids, so there is no document text to be seen. */
export function addQueueRoutes(server: FastifyInstance, app: App): void {
  server.get(
    '/api/v1/queues',
    { ...operate, schema: { summary: 'queues, and how many jobs are in which state' } },
    async () => ({
      queues: (await listQueues(app)).map(queueJson),
    }),
  );
  server.get(
    '/api/v1/queues/:name',
    { ...operate, schema: { params, summary: 'one queue and its jobs: next, at work, tried again later, failed' } },
    async (request) => queueDetailJson(await readQueue(app, (request.params as z.infer<typeof params>).name)),
  );
}
