import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../app.ts';
import { NightmillError } from '../errors.ts';
import { withoutPlaces } from './server-places.ts';

// Not imported: with the names of `node:http` Node loads an undici of its own, an eighth of a server's start.
const { STATUS_CODES } = process.getBuiltinModule('node:http');

/** An error as `application/problem+json` (RFC 9457) with our `code`. */
export interface Problem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

/** What is told of an error. One that nobody foresaw tells nothing of itself: it is in the log. */
export function problemOf(error: unknown, config: App['config']): Problem {
  if (error instanceof NightmillError && error.code !== 'internal') {
    return problem(error.httpStatus, error.code, withoutPlaces(error.message, config));
  }
  const { statusCode, message } = error as Partial<FastifyError>;
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return problem(
      statusCode,
      statusCode === 413 ? 'input_too_large' : 'usage',
      message ?? 'The request cannot be read.',
    );
  }
  return problem(500, 'internal', 'Something failed that was not foreseen. The log of the server says what.');
}

export function problem(status: number, code: string, detail: string): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, code, detail };
}

/** The error handler of every route but the OpenAI-shaped ones. */
export function sendProblem({ log, config }: Pick<App, 'log' | 'config'>) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const told = problemOf(error, config);
    if (told.status >= 500) {
      log.error('http:failed', { route: request.routeOptions.url, message: (error as Error).message });
    }
    if (told.status === 401) reply.header('www-authenticate', 'Bearer');
    if (told.status === 429 || told.status === 503) reply.header('retry-after', '1');
    // What was not read of a body that was refused must not be taken for the next request.
    if (told.status === 413) reply.header('connection', 'close');
    void reply
      .code(told.status)
      .type('application/problem+json')
      .send(Buffer.from(JSON.stringify(told)));
  };
}
