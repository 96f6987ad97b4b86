import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../runtime/log.ts';

export interface ConnectionLimits {
  /** A connection on which nothing moves for so long is closed, unless it waits for our answer. */
  readonly idleMs: number;
  /** How often it is looked whether a body comes in fast enough. */
  readonly slowMs: number;
  /** What a body has to bring in between two looks. */
  readonly leastBytes: number;
}

/** A body at a hundred bytes a second would take four months for a gigabyte, and holds a connection and a file as long. */
export const CONNECTION_LIMITS: ConnectionLimits = { idleMs: 120_000, slowMs: 60_000, leastBytes: 6_000 };

type Socket = IncomingMessage['socket'];

interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** What the connection had brought in at the last look. */
  seenBytes: number;
}

/**
 * Closes connections whose other end is gone, or only drips: a body may be long, but not endless. A client that has sent
 * everything and waits for its answer is not idle, however long the answer takes.
 */
export class ConnectionGuard {
  readonly #limits: ConnectionLimits;
  readonly #log: Log;
  readonly #exchanges = new WeakMap<Socket, Exchange>();
  readonly #receiving = new Set<Exchange>();
  readonly #timer: NodeJS.Timeout;

  constructor(log: Log, limits: ConnectionLimits) {
    this.#limits = limits;
    this.#log = log;
    this.#timer = setInterval(() => this.#look(), limits.slowMs).unref();
  }

  /** To be called before routes are added. */
  watch(server: FastifyInstance): void {
    server.server.on('timeout', (socket) => this.#standsStill(socket));
    server.addHook('onRequest', async (request, reply) => {
      const { raw } = request;
      const exchange = { request, reply, seenBytes: raw.socket.bytesRead };
      this.#exchanges.set(raw.socket, exchange);
      this.#receiving.add(exchange);
      raw.once('end', () => this.#receiving.delete(exchange));
      reply.raw.once('close', () => this.#receiving.delete(exchange));
    });
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #standsStill(socket: Socket): void {
    const exchange = this.#exchanges.get(socket);
    const answered = exchange === undefined || exchange.reply.raw.headersSent || exchange.reply.raw.destroyed;
    if (!answered && exchange.request.raw.complete) {
      socket.setTimeout(this.#limits.idleMs);
      return;
    }
    // One that is kept open for a next request may go without a word.
    if (exchange !== undefined && !exchange.reply.raw.writableFinished) this.#note(exchange, 'idle');
    socket.destroy();
  }

  #look(): void {
    for (const exchange of this.#receiving) {
      const { raw } = exchange.request;
      const brought = raw.socket.bytesRead - exchange.seenBytes;
      exchange.seenBytes = raw.socket.bytesRead;
      // What waits here to be read is our delay and not the client's.
      if (raw.complete || raw.readableLength > 0 || brought >= this.#limits.leastBytes) continue;
      this.#note(exchange, 'slow_body');
      this.#receiving.delete(exchange);
      raw.socket.destroy();
    }
  }

  #note({ request }: Exchange, why: 'idle' | 'slow_body'): void {
    this.#log.warn('http:closed', {
      why,
      route: request.routeOptions.url,
      caller: request.caller?.name,
      address: request.ip,
      bytes: request.raw.socket.bytesRead,
    });
  }
}
