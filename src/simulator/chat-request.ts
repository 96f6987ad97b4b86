import { isRecord } from '../text/json-value.ts';
import { canonicalJson, sha256Hex } from './canonical-json.ts';
import { ProviderError } from './provider-error.ts';
import { checkStrictSchema, type JsonSchema } from './strict-schema.ts';

export interface ChatMessage {
  readonly role: string;
  /** Text parts joined. */
  readonly content: string;
}

export type ResponseFormat =
  | { readonly kind: 'text' }
  | { readonly kind: 'object' }
  | { readonly kind: 'schema'; readonly schema: JsonSchema };

/** A request body that the provider would accept. */
export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly format: ResponseFormat;
  /** From `max_completion_tokens` or `max_tokens`. */
  readonly maxOutputTokens: number | undefined;
  /** Zero where the request has none, so that answers are steady by default. */
  readonly temperature: number;
  readonly logprobs: boolean;
  readonly topLogprobs: number;
  /** SHA-256 of the canonical body: one request is one hash, however its JSON was written. */
  readonly hash: string;
}

const ROLES: ReadonlySet<unknown> = new Set(['system', 'developer', 'user', 'assistant']);

/**
 * Reads a request body with the checks of the real provider.
 *
 * @throws {ProviderError} 400
 */
export function parseChatRequest(text: string): ChatRequest {
  const body = parseBody(text);
  if (typeof body.model !== 'string' || body.model === '') {
    throw new ProviderError(400, 'you must provide a model parameter', {
      param: 'model',
      code: 'missing_required_parameter',
    });
  }
  if (body.stream === true) throw invalid('stream', 'this simulator does not stream: leave out "stream"');
  if (body.n !== undefined && body.n !== 1) throw invalid('n', 'this simulator makes one choice: leave out "n"');
  const messages = readMessages(body.messages);
  const logprobs = body.logprobs ?? false;
  if (typeof logprobs !== 'boolean') throw invalid('logprobs', 'expected a boolean');
  if (body.top_logprobs !== undefined && !logprobs) throw invalid('top_logprobs', 'needs "logprobs": true');
  return {
    model: body.model,
    messages,
    format: readFormat(body.response_format, messages),
    maxOutputTokens: readMaxOutputTokens(body),
    temperature: readNumber(body, 'temperature', 0, 2) ?? 0,
    logprobs,
    topLogprobs: readNumber(body, 'top_logprobs', 0, 20) ?? 0,
    hash: sha256Hex(canonicalJson(body)),
  };
}

function parseBody(text: string): Readonly<Record<string, unknown>> {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  if (isRecord(body)) return body;
  throw new ProviderError(
    400,
    `We could not parse the JSON body of your request. It begins with ${JSON.stringify(text.slice(0, 40))}.`,
  );
}

function readMessages(value: unknown): readonly ChatMessage[] {
  if (value === undefined) {
    throw new ProviderError(400, "Missing required parameter: 'messages'.", {
      param: 'messages',
      code: 'missing_required_parameter',
    });
  }
  if (!Array.isArray(value)) throw invalid('messages', 'expected an array');
  if (value.length === 0) {
    throw new ProviderError(400, "Invalid 'messages': empty array. Expected an array with minimum length 1.", {
      param: 'messages',
      code: 'empty_array',
    });
  }
  return value.map((message: unknown, index) => {
    const path = `messages[${index}]`;
    if (!isRecord(message)) throw invalid(path, 'expected an object');
    if (!ROLES.has(message.role)) throw invalid(`${path}.role`, `unsupported value ${JSON.stringify(message.role)}`);
    return { role: String(message.role), content: readContent(message.content, `${path}.content`) };
  });
}

function readContent(content: unknown, path: string): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw invalid(path, 'expected a string or an array of text parts');
  return content
    .map((part: unknown) => {
      if (isRecord(part) && part.type === 'text' && typeof part.text === 'string') return part.text;
      throw invalid(path, 'expected parts {"type": "text", "text": "..."}');
    })
    .join('\n');
}

function readFormat(value: unknown, messages: readonly ChatMessage[]): ResponseFormat {
  if (value === undefined || value === null) return { kind: 'text' };
  if (!isRecord(value)) throw invalid('response_format', 'expected an object');
  switch (value.type) {
    case 'text':
      return { kind: 'text' };
    case 'json_object':
      if (messages.some((message) => /json/i.test(message.content))) return { kind: 'object' };
      throw invalid(
        'messages',
        "must contain the word 'json' in some form, to use 'response_format' of type 'json_object'",
      );
    case 'json_schema':
      return { kind: 'schema', schema: readSchema(value.json_schema) };
    default:
      throw invalid('response_format.type', `unsupported value ${JSON.stringify(value.type)}`);
  }
}

function readSchema(value: unknown): JsonSchema {
  const path = 'response_format.json_schema';
  if (!isRecord(value)) throw invalid(path, 'expected an object');
  if (typeof value.name !== 'string' || !/^[a-zA-Z0-9_-]{1,64}$/.test(value.name)) {
    throw invalid(`${path}.name`, 'expected 1 to 64 letters, digits, underscores or dashes');
  }
  if (!isRecord(value.schema)) throw invalid(`${path}.schema`, 'expected an object');
  if (value.strict === true) checkStrictSchema(value.name, value.schema);
  return value.schema;
}

function readMaxOutputTokens(body: Readonly<Record<string, unknown>>): number | undefined {
  const completion = readNumber(body, 'max_completion_tokens', 1, 2 ** 31);
  const plain = readNumber(body, 'max_tokens', 1, 2 ** 31);
  if (completion !== undefined && plain !== undefined) {
    throw invalid('max_tokens', "setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported");
  }
  const tokens = completion ?? plain;
  if (tokens !== undefined && !Number.isInteger(tokens)) throw invalid('max_tokens', 'expected an integer');
  return tokens;
}

function readNumber(
  body: Readonly<Record<string, unknown>>,
  name: string,
  min: number,
  max: number,
): number | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && value >= min && value <= max) return value;
  throw invalid(name, `expected a number from ${min} to ${max}, but got ${JSON.stringify(value)}`);
}

function invalid(param: string, reason: string): ProviderError {
  return new ProviderError(400, `Invalid '${param}': ${reason}.`, { param, code: 'invalid_value' });
}
