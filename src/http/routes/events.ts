import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { App } from '../../app.ts';
import type { Log } from '../../runtime/log.ts';
import { allow } from '../callers.ts';
import type { EventHub, ServerEvent } from '../event-hub.ts';
import { problem } from '../problem.ts';
import { requireVisible } from './batches.ts';

const query = z.object({ batch: z.string().optional() });

const HEARTBEAT_MS = 15_000;
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
}

export const STREAM_LIMITS: StreamLimits = { streams: 2_000, streamsOfOne: 500 };

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

  /** Why there is no room for another one of this caller; undefined: there is. */
  whyFull(caller: string): string | undefined {
    const { streams, streamsOfOne } = this.#limits;
    const own = [...this.#open.values()].filter((name) => name === caller).length;
    if (this.#open.size < streams && own < streamsOfOne) return undefined;
    if (!this.#refused.has(caller)) {
      this.#refused.add(caller);
      this.#log.warn('http:full', { caller, open: this.#open.size, own });
    }
    return own >= streamsOfOne
      ? `The key ${caller} has ${streamsOfOne} event streams open, the most of one key. Close some, or try again later.`
      : `This server has ${streams} event streams open, the most. Try again later.`;
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
  hub: EventHub,
  limits: StreamLimits = STREAM_LIMITS,
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
      const full = streams.whyFull(request.caller.name);
      if (full !== undefined) {
        reply.code(503).header('retry-after', '30').type('application/problem+json');
        return reply.send(Buffer.from(JSON.stringify(problem(503, 'usage', full))));
      }
      reply.hijack();
      await stream(app, hub, streams, request, reply.raw);
      return reply;
    },
  );
}

async function stream(
  app: App,
  hub: EventHub,
  streams: Streams,
  { caller, query: asked, headers }: FastifyRequest,
  raw: ServerResponse,
): Promise<void> {
  const { batch } = asked as z.infer<typeof query>;
  streams.add(raw, caller.name);
  raw.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  raw.write('retry: 2000\n\n');
  const write = (text: string) => streams.write(raw, text);
  const heartbeat = setInterval(() => write(': still here\n\n'), HEARTBEAT_MS);
  let stop = () => {};
  raw.on('close', () => {
    streams.delete(raw);
    clearInterval(heartbeat);
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
