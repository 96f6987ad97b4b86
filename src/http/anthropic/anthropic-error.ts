import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../../app.ts';
import { requestId } from '../openai/openai-error.ts';
import { problemOf } from '../problem.ts';

/** An error as Anthropic's clients know it: nothing has changed. */
export class AnthropicError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'AnthropicError';
    this.status = status;
  }
}

const TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  409: 'invalid_request_error',
  413: 'request_too_large',
  415: 'invalid_request_error',
  429: 'rate_limit_error',
  503: 'overloaded_error',
};

/** The error handler of the Anthropic-shaped routes. */
export function sendAnthropicError({ log, config }: Pick<App, 'log' | 'config'>) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const { status, detail } =
      error instanceof AnthropicError ? { status: error.status, detail: error.message } : problemOf(error, config);
    if (status >= 500) {
      log.error('http:failed', { route: request.routeOptions.url, message: (error as Error).message });
    }
    const id = reply.getHeader('request-id') ?? requestId();
    reply.header('request-id', id);
    if (status === 429 || status === 503) reply.header('retry-after', '1');
    // What was not read of a body that was refused must not be taken for the next request.
    if (status === 413) reply.header('connection', 'close');
    const type = TYPES[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
    const body = { type: 'error', error: { type, message: detail }, request_id: id };
    void reply
      .code(status)
      .type('application/json')
      .send(Buffer.from(JSON.stringify(body)));
  };
}
