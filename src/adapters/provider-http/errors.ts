import type { Usage } from '../../money/usage.ts';
import { classifyHttpFailure } from '../../providers/classify-http-failure.ts';
import {
  FAILURE_RULES,
  ModelCallError,
  type ModelCallErrorDetails,
  type ModelFailureClass,
} from '../../providers/failure.ts';
import { readErrorBody } from '../../providers/read-error-body.ts';
import { isRecord, parseJson } from '../../text/json-value.ts';
import type { Target } from './endpoint.ts';
import type { HttpExchangeResult } from './http-exchange.ts';
import { keepRateLimitHeaders } from './rate-limit-headers.ts';
import { readRequestId } from './request-id.ts';

const MAX_QUOTE_LENGTH = 300;

type HttpResponse = Extract<HttpExchangeResult, { kind: 'response' }>;

/** No answer, or not a whole one. */
export function errorOfExchange(
  target: Target,
  result: Exclude<HttpExchangeResult, { kind: 'response' }>,
  timeoutMs: number,
): ModelCallError {
  const billing = result.sent ? 'unknown' : 'none';
  const where = `${target.name} at ${target.displayUrl}`;
  if (result.kind === 'aborted') {
    const when = result.sent ? 'after the request was sent; it may be charged' : 'before the request was sent';
    return failed('aborted', `The call to provider ${where} was aborted ${when}.`, { billing });
  }
  if (result.kind === 'timeout') {
    const what = result.sent
      ? `did not answer completely within ${timeoutMs} ms; the request was sent and may be charged`
      : `could not be sent a request within ${timeoutMs} ms; nothing was sent`;
    return failed('timeout', `Provider ${where} ${what}.`, { billing });
  }
  const { error, sent } = result;
  const code = errorCode(error);
  // The caller closed the client under its own call.
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') {
    return failed('aborted', `The call to provider ${where} ended because its client was closed.`, { billing });
  }
  const reason = target.redact(`${code}: ${error.message}`);
  if (!sent || isProxyRefusal(error)) {
    return new ModelCallError(`Cannot reach provider ${where}: ${reason}. ${connectAdvice(error, code)}`, {
      failure: 'unreachable',
      billing: 'none',
      cause: error,
    });
  }
  if (error.name === 'HTTPParserError') {
    // Without the cause: it holds the bytes that came, and a server can send a key back.
    const message = `Provider ${where} answered with something that is not HTTP: ${target.redact(error.message)}.`;
    return failed('invalid_reply', message, { billing });
  }
  return failed(
    'connection_lost',
    `The connection to provider ${where} broke after the request was sent (${reason}); it may be charged.`,
    { billing, cause: error },
  );
}

/** Statuses of a gateway that gave up waiting: the model behind it may have worked, and may be charged. */
const GATEWAY_GAVE_UP: ReadonlySet<number> = new Set([502, 504, 524]);

/** llama.cpp's "Loading model", and the like of other servers that answer before they can work. */
const STARTING_WORDING = /\bloading\b|\bstarting\b|warm(?:ing|s)?[ -]?up|not (?:yet )?(?:ready|loaded)/i;

/** A status that is not 2xx: the provider refused or failed, and charges nothing unless only its gateway said so. */
export function errorOfStatus(target: Target, modelId: string, response: HttpResponse): ModelCallError {
  const { status, headers } = response;
  const { failure, providerCode, providerMessage, retryAfterMs, mayBeTooLong, refusesModel } = classifyHttpFailure(
    status,
    response.body.toString(),
    headers,
    Date.now(),
  );
  const code = providerCode === undefined ? undefined : quote(target, providerCode);
  const said = providerMessage.trim() === '' ? 'no body' : quote(target, providerMessage);
  return failed(
    failure,
    `Provider ${target.name} refused model ${modelId} at ${target.displayUrl} with HTTP ${status}` +
      `${code === undefined ? '' : ` (${code})`}: ${said}${/[.!?]$/.test(said) ? '' : '.'}`,
    {
      billing: GATEWAY_GAVE_UP.has(status) ? 'unknown' : 'none',
      providerCode: code,
      retryAfterMs,
      mayBeTooLong,
      refusesModel,
      serverIsStarting: status === 503 && STARTING_WORDING.test(providerMessage),
      ...fromResponse(target, response),
    },
  );
}

/**
 * An error inside a success. Where it says which kind it is, that counts as with a status of its own; what else a server says
 * there is its own trouble. It is charged for where a usage is told.
 */
export function errorInSuccess(
  target: Target,
  modelId: string,
  response: HttpResponse,
  error: unknown,
  usage: Usage | undefined,
): ModelCallError {
  const stated = Number(isRecord(error) ? (error.status ?? error.code) : undefined);
  const status = stated >= 400 && stated <= 599 ? stated : 400;
  const read = classifyHttpFailure(status, JSON.stringify({ error }), response.headers, Date.now());
  const isItsStatus = stated === status && read.failure === 'server_error' && usage === undefined;
  const isUntold = !isItsStatus && (read.failure === 'bad_request' || read.failure === 'server_error');
  const failure = isUntold ? 'invalid_reply' : read.failure;
  const isFree = (!isUntold && !isItsStatus) || (stated === status && !GATEWAY_GAVE_UP.has(status));
  return failed(
    failure,
    `Provider ${target.name} answered for model ${modelId} at ${target.displayUrl} with HTTP ${response.status} and an error in it: ` +
      `${quote(target, read.providerMessage)}.`,
    {
      billing: usage === undefined ? (isFree ? 'none' : 'unknown') : 'billed',
      usage,
      retryAfterMs: read.retryAfterMs,
      ...fromResponse(target, response),
      ...(isItsStatus ? { status } : {}),
    },
  );
}

/** @param what completes "The reply …" */
export function errorOfInvalidReply(
  target: Target,
  response: HttpResponse,
  what: string,
  found: { readonly usage?: Usage; readonly id?: string } = {},
): ModelCallError {
  const fields = fromResponse(target, response);
  return failed(
    'invalid_reply',
    `The reply of provider ${target.name} at ${target.displayUrl} (HTTP ${response.status}) ${what}; ` +
      `${describeBody(target, response)}.`,
    {
      billing: found.usage === undefined ? 'unknown' : 'billed',
      usage: found.usage,
      ...fields,
      requestId: fields.requestId ?? (found.id === undefined ? undefined : quote(target, found.id)),
    },
  );
}

/**
 * A page of some proxy and an error object are quoted, since they say what went wrong. Anything else may be what the model
 * wrote about a document, and the message goes into logs.
 */
function describeBody(target: Target, { headers, body }: HttpResponse): string {
  const text = body.toString();
  if (/^\s*</.test(text)) return `it starts: ${quote(target, text)}`;
  const parsed = parseJson(text);
  if (isRecord(parsed) && isRecord(parsed.error)) return `it says: ${quote(target, readErrorBody(text).message)}`;
  return `it has ${body.length} bytes of ${quote(target, headers['content-type'] ?? 'no content type')}`;
}

function failed(
  failure: ModelFailureClass,
  message: string,
  details: Omit<ModelCallErrorDetails, 'failure'>,
): ModelCallError {
  return new ModelCallError(`${message} ${FAILURE_RULES[failure].advice}`, { failure, ...details });
}

function fromResponse(target: Target, { status, headers }: HttpResponse) {
  const kept = Object.entries(keepRateLimitHeaders(headers));
  const requestId = readRequestId(headers);
  return {
    status,
    requestId: requestId === undefined ? undefined : quote(target, requestId),
    rateLimitHeaders: Object.fromEntries(kept.map(([name, value]) => [name, target.redact(value)])),
  };
}

/** Secrets out first, then the length: a key cut in two would no longer be found. */
function quote(target: Target, text: string): string {
  const start = target.redact(text).slice(0, 4 * MAX_QUOTE_LENGTH);
  return start.replace(/\s+/g, ' ').trim().slice(0, MAX_QUOTE_LENGTH);
}

function errorCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

/** undici's words; the proxy has kept the request to itself. */
function isProxyRefusal({ message }: Error): boolean {
  return /^Proxy (?:response \(|Authentication Required)/.test(message);
}

function connectAdvice(error: Error, code: string): string {
  if (isProxyRefusal(error)) {
    return 'Check HTTPS_PROXY, or proxy: in the config, with its user and password; hosts that need no proxy belong into NO_PROXY.';
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return "Check the host name in the provider's baseUrl and this machine's DNS.";
  if (code === 'UND_ERR_CONNECT_TIMEOUT')
    return "Check the port in the provider's baseUrl and any firewall or proxy on the way.";
  if (/SSL|TLS|CERT|SELF_SIGNED|UNABLE_TO|EPROTO/.test(code)) {
    return "Check http or https in the provider's baseUrl; for a certificate of your own set NODE_EXTRA_CA_CERTS.";
  }
  return FAILURE_RULES.unreachable.advice;
}
