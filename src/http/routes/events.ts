import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { App } from '../../app.ts';
import type { Log } from '../../runtime/log.ts';
import { allow, type Callers } from '../callers.ts';
import type { EventHub, ServerEvent } from '../event-hub.ts';
import { problem } from '../problem.ts';
import { requireVisible } from './batches.ts';

const query = z.object({ batch: z.string().optional() });

/** A client that does not read is let go rather than kept in memory: it comes back with its last id. */
const MAX_UNSENT_BYTES = 1024 * 1024;
/** Of all streams together, counted once one of them lags. */
const MAX_UNSENT_IN_ALL = 64 * 1024 * 1024;
const LAGS_BYTES = 64 * 1024;

/** Each stream takes a socket and a few kilobytes. */
export interface StreamLimits {
  readonly streams: number;
  /** Of one key, so that it leaves room for the others. */
  readonly streamsOfOne: number;
  /** How often an open stream gets a word, and its key is looked at again. */
  readonly heartbeatMs: number;
}

export const STREAM_LIMITS: StreamLimits = { streams: 2_000, streamsOfOne: 500, heartbeatMs: 15_000 };

interface Refusal {
  readonly status: 429 | 503;
  readonly detail: string;
}

/** The open event streams of a server, and how many there may be. */
class Streams {
  readonly #limits: StreamLimits;
  readonly #log: Log;
  readonly #open = new Map<ServerResponse, string>();
  /** Whose refusal is in the log already: one line, not one a try. */
  readonly #refused = new Set<string>();

  constructor(limits: StreamLimits, log: Log) {
    this.#limits = limits;
    this.#log = log;
  }

  /** Undefined: there is room for another one of this caller. */
  refusal(caller: string): Refusal | undefined {
    const { streams, streamsOfOne } = this.#limits;
    const own = [...this.#open.values()].filter((name) => name === caller).length;
    if (this.#open.size < streams && own < streamsOfOne) return undefined;
    if (!this.#refused.has(caller)) {
      this.#refused.add(caller);
      this.#log.warn('http:full', { caller, open: this.#open.size, own });
    }
    if (own < streamsOfOne)
      return { status: 503, detail: `This server has ${streams} event streams open, the most. Try again later.` };
    const most = `${streamsOfOne} event streams open, the most of one key`;
    return { status: 429, detail: `The key ${caller} has ${most}. Close some, or try again later.` };
  }

  add(response: ServerResponse, caller: string): void {
    this.#open.set(response, caller);
  }

  delete(response: ServerResponse): void {
    const caller = this.#open.get(response);
    this.#open.delete(response);
    if (caller !== undefined) this.#refused.delete(caller);
  }

  write(response: ServerResponse, text: string): void {
    const unsent = response.writableLength;
    if (unsent > MAX_UNSENT_BYTES || (unsent > LAGS_BYTES && this.#unsent() > MAX_UNSENT_IN_ALL)) response.destroy();
    else response.write(text);
  }

  #unsent(): number {
    return [...this.#open.keys()].reduce((sum, { writableLength }) => sum + writableLength, 0);
  }
}

export function addEventRoutes(
  server: FastifyInstance,
  app: App,
  { hub, callers, limits }: { readonly hub: EventHub; readonly callers: Callers; readonly limits: StreamLimits },
): void {
  const streams = new Streams(limits, app.log);
  server.get(
    '/api/v1/events',
    {
      preHandler: allow('read'),
      schema: { querystring: query, summary: 'server-sent events: batch, breaker, budget, schedule' },
    },
    async (request, reply) => {
      const { batch } = request.query as z.infer<typeof query>;
      if (batch !== undefined) await requireVisible(app, request, batch);
      const refusal = streams.refusal(request.caller.name);
      if (refusal !== undefined) {
        // Ten thousand that wait for their turn shall not keep their connections.
        reply.header('connection', 'close');
        reply.code(refusal.status).header('retry-after', '30').type('application/problem+json');
        return reply.send(Buffer.from(JSON.stringify(problem(refusal.status, 'usage', refusal.detail))));
      }
      reply.hijack();
      streams.add(reply.raw, request.caller.name);
      const heartbeat = setInterval(() => void beat(streams, callers, request, reply.raw), limits.heartbeatMs);
      reply.raw.on('close', () => clearInterval(heartbeat));
      await stream(app, hub, streams, request, reply.raw);
      return reply;
    },
  );
}

/** A key that is revoked, or whose time is over, hears no more. */
async function beat(streams: Streams, callers: Callers, request: FastifyRequest, raw: ServerResponse): Promise<void> {
  if (await callers.isStillGood(request)) streams.write(raw, ': still here\n\n');
  else raw.end();
}

async function stream(
  app: App,
  hub: EventHub,
  streams: Streams,
  { caller, query: asked, headers }: FastifyRequest,
  raw: ServerResponse,
): Promise<void> {
  const { batch } = asked as z.infer<typeof query>;
  raw.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  raw.write('retry: 2000\n\n');
  const write = (text: string) => streams.write(raw, text);
  let stop = () => {};
  raw.on('close', () => {
    streams.delete(raw);
    stop();
  });
  const lastId = Number(headers['last-event-id']);
  const listener = { caller, batch, send: (event: ServerEvent) => write(format(event)) };
  try {
    stop = await hub.add(listener, Number.isSafeInteger(lastId) && lastId > 0 ? lastId : undefined);
  } catch (error) {
    // It has begun, so the status can say nothing any more: the client comes back.
    app.log.error('http:failed', { route: '/api/v1/events', message: (error as Error).message });
    raw.destroy();
  }
  if (raw.destroyed) stop();
}

/** JSON has no raw line breaks, so data is one line. */
function format({ id, event, data }: ServerEvent): string {
  return `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`;
}
