import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { App } from '../../app.ts';
import { allow } from '../callers.ts';
import type { EventHub, ServerEvent } from '../event-hub.ts';
import { problem } from '../problem.ts';
import { requireVisible } from './batches.ts';

const query = z.object({ batch: z.string().optional() });

/** Each takes a socket and a few kilobytes. */
const MAX_STREAMS = 2_000;
const HEARTBEAT_MS = 15_000;
/** A client that does not read is let go rather than kept in memory. */
const MAX_UNSENT_BYTES = 1024 * 1024;

export function addEventRoutes(server: FastifyInstance, app: App, hub: EventHub): void {
  let open = 0;
  server.get(
    '/api/v1/events',
    {
      preHandler: allow('read'),
      schema: { querystring: query, summary: 'server-sent events: batch, breaker, budget' },
    },
    async (request, reply) => {
      const { batch } = request.query as z.infer<typeof query>;
      if (batch !== undefined) await requireVisible(app, request, batch);
      if (open >= MAX_STREAMS) {
        return reply
          .code(503)
          .header('retry-after', '30')
          .type('application/problem+json')
          .send(
            Buffer.from(
              JSON.stringify(
                problem(503, 'usage', `This server has ${MAX_STREAMS} event streams open, the most. Try again later.`),
              ),
            ),
          );
      }
      open += 1;
      reply.hijack();
      const { raw } = reply;
      raw.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      raw.write('retry: 2000\n\n');
      const write = (text: string) => {
        if (raw.writableLength > MAX_UNSENT_BYTES) raw.destroy();
        else raw.write(text);
      };
      const heartbeat = setInterval(() => write(': still here\n\n'), HEARTBEAT_MS);
      let stop = () => {};
      raw.on('close', () => {
        open -= 1;
        clearInterval(heartbeat);
        stop();
      });
      const lastId = Number(request.headers['last-event-id']);
      const listener = { caller: request.caller, batch, send: (event: ServerEvent) => write(format(event)) };
      stop = await hub.add(listener, Number.isSafeInteger(lastId) && lastId > 0 ? lastId : undefined);
      if (raw.destroyed) stop();
      return reply;
    },
  );
}

/** JSON has no raw line breaks, so data is one line. */
function format({ id, event, data }: ServerEvent): string {
  return `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`;
}
