import { randomUUID } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../../app.ts';
import { problemOf } from '../problem.ts';

/** An error as OpenAI's clients know it: no batch was made, nothing has changed. */
export class OpenAiError extends Error {
  readonly status: number;
  readonly param: string | null;
  readonly code: string | null;

  constructor(
    status: number,
    message: string,
    { param = null, code = null }: { readonly param?: string | null; readonly code?: string | null } = {},
  ) {
    super(message);
    this.name = 'OpenAiError';
    this.status = status;
    this.param = param;
    this.code = code;
  }
}

export function missingParameter(param: string): OpenAiError {
  return new OpenAiError(400, `Missing required parameter: '${param}'.`, { param, code: 'missing_required_parameter' });
}

/** @param supported what may be there, in words, e.g. `'batch'` */
export function invalidValue(param: string, value: unknown, supported: string): OpenAiError {
  const seen = typeof value === 'string' ? value.slice(0, 100) : JSON.stringify(value)?.slice(0, 100);
  return new OpenAiError(400, `Invalid value: '${seen}'. Supported values are: ${supported}.`, {
    param,
    code: 'invalid_value',
  });
}

export function invalidType(param: string, value: unknown, expected: string): OpenAiError {
  return new OpenAiError(400, `Invalid type for '${param}': expected ${expected}, but got ${kindOf(value)} instead.`, {
    param,
    code: 'invalid_type',
  });
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a decimal';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** @param range the smallest and the largest value that are allowed */
export function outOfRange(param: string, value: number, [least, most]: readonly [number, number]): OpenAiError {
  const [side, code, bound] =
    value > most
      ? ['above maximum', 'integer_above_max_value', `<= ${most}`]
      : ['below minimum', 'integer_below_min_value', `>= ${least}`];
  return new OpenAiError(
    400,
    `Invalid '${param}': integer ${side} value. Expected a value ${bound}, but got ${value} instead.`,
    { param, code },
  );
}

/** The id that a client shows when somebody asks which request it was. */
export function requestId(): string {
  return `req_${randomUUID().replaceAll('-', '')}`;
}

/** The error handler of the OpenAI-shaped routes. */
export function sendOpenAiError({ log, config }: Pick<App, 'log' | 'config'>) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const { status, body } = openAiErrorOf(error, config);
    if (status >= 500) {
      log.error('http:failed', { route: request.routeOptions.url, message: (error as Error).message });
    }
    if (!reply.hasHeader('x-request-id')) reply.header('x-request-id', requestId());
    if (status === 401) reply.header('www-authenticate', 'Bearer');
    if (status === 429 || status === 503) reply.header('retry-after', '1');
    // What was not read of a body that was refused must not be taken for the next request.
    if (status === 413) reply.header('connection', 'close');
    void reply
      .code(status)
      .type('application/json')
      .send(Buffer.from(JSON.stringify(body)));
  };
}

export interface OpenAiErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
}

export function openAiErrorOf(
  error: unknown,
  config: App['config'],
): { readonly status: number; readonly body: OpenAiErrorBody } {
  if (error instanceof OpenAiError) {
    const { status, message, param, code } = error;
    return { status, body: { error: { message, type: 'invalid_request_error', param, code } } };
  }
  const { status, code, detail } = problemOf(error, config);
  const told = (type: string, named: string | null) => ({
    status,
    body: { error: { message: detail, type, param: null, code: named } },
  });
  if (status === 401) return told('invalid_request_error', 'invalid_api_key');
  if (status === 429) return told('requests', 'rate_limit_exceeded');
  if (status >= 500) return told('server_error', null);
  return told('invalid_request_error', code === 'usage' ? null : code);
}
