import type { BatchFault } from '../../compat/openai-records.ts';
import { findIdFault } from '../../documents/document-id.ts';
import { DuplicateIds } from '../../documents/duplicates/duplicate-ids.ts';
import { readChatRequest } from '../../tasks/chat/read-request.ts';
import { isFilledString, isRecord } from '../../text/json-value.ts';
import { splitLines } from '../../text/split-lines.ts';
import { findEmptiness } from '../../text/visible-text.ts';

/** A request of a batch file. */
export interface BatchLine {
  readonly customId: string;
  readonly model: string;
  /** The document: the text of the last user message, or the JSON of the whole request. */
  readonly text: string;
}

export interface LineRules {
  /** As the batch names it, e.g. `/v1/chat/completions`. */
  readonly endpoint: string;
  /** What `model` may name, and whether its documents are whole requests. */
  readonly models: ReadonlyMap<string, 'text' | 'request'>;
  readonly maxLineBytes: number;
}

/** Enough to see what is wrong, and small in Redis. */
const MAX_FAULTS = 100;
const MAX_NAMED_UNITS = 100;

const utf8 = new TextDecoder('utf-8', { fatal: true });

type Fault = Omit<BatchFault, 'line'>;

/** Requests and faults of a batch file, in its order; a line has one fault at most, its first. */
export async function* readBatchLines(
  content: AsyncIterable<Uint8Array>,
  rules: LineRules,
): AsyncGenerator<BatchFault | (BatchLine & { readonly line: number }), void, undefined> {
  for await (const lines of splitLines(content, rules.maxLineBytes)) {
    for (const raw of lines) {
      const { line } = raw;
      const read =
        'bytes' in raw
          ? readBatchLine(raw.bytes, rules)
          : faultOf(
              'invalid_request',
              `This line has ${raw.tooLargeBytes} bytes; at most ${rules.maxLineBytes} are allowed.`,
            );
      if (read !== undefined) yield { ...read, line };
    }
  }
}

/**
 * Looks at every line of a batch file before anything is submitted: one bad line refuses the batch.
 *
 * @returns the number of requests by model, or the first {@link MAX_FAULTS} faults
 */
export async function checkBatchLines(
  content: AsyncIterable<Uint8Array>,
  rules: LineRules,
): Promise<{ readonly models: ReadonlyMap<string, number> } | { readonly faults: readonly BatchFault[] }> {
  const ids = new DuplicateIds();
  const models = new Map<string, number>();
  const faults: BatchFault[] = [];
  for await (const found of readBatchLines(content, rules)) {
    if ('code' in found) faults.push(found);
    else if (!ids.add(found.customId)) faults.push({ ...DUPLICATE, line: found.line });
    else models.set(found.model, (models.get(found.model) ?? 0) + 1);
    if (faults.length === MAX_FAULTS) break;
  }
  if (faults.length > 0) return { faults };
  return models.size === 0 ? { faults: [{ ...EMPTY, line: null }] } : { models };
}

const DUPLICATE = faultOf(
  'duplicate_custom_id',
  'The custom_id for this request is a duplicate of another request. The custom_id parameter must be unique for each request in a batch.',
  'custom_id',
);
const EMPTY = faultOf(
  'empty_file',
  'The input file is empty. Please ensure that the batch contains at least one request.',
);

/** @returns undefined for a blank line */
export function readBatchLine(bytes: Uint8Array, rules: LineRules): BatchLine | Fault | undefined {
  let value: unknown;
  try {
    const json = utf8.decode(bytes);
    if (json.trim() === '') return undefined;
    value = JSON.parse(json);
  } catch {
    value = undefined;
  }
  if (!isRecord(value)) return faultOf('invalid_json_line', 'This line is not parseable as valid JSON.');
  return findEnvelopeFault(value, rules.endpoint) ?? readBody(value.custom_id as string, value.body, rules.models);
}

/** What surrounds the request itself. */
function findEnvelopeFault(line: Readonly<Record<string, unknown>>, endpoint: string): Fault | undefined {
  for (const name of ['custom_id', 'method', 'url', 'body']) {
    if (line[name] === undefined || line[name] === null || line[name] === '') {
      return faultOf('missing_required_parameter', `Missing required parameter: '${name}'.`, name);
    }
  }
  const { custom_id: id, method, url, body } = line;
  if (typeof id !== 'string') return typeFault('custom_id', 'a string');
  const idFault = findIdFault(id);
  if (idFault !== undefined) return faultOf('invalid_request', `The custom_id ${idFault}.`, 'custom_id');
  if (method !== 'POST') return faultOf('invalid_method', "The method of a request must be 'POST'.", 'method');
  if (typeof url !== 'string' || withoutVersion(url) !== withoutVersion(endpoint)) {
    return faultOf('invalid_url', 'The URL provided for this request does not match the batch endpoint.', 'url');
  }
  return isRecord(body) ? undefined : typeFault('body', 'an object');
}

/** Azure's lines have no `/v1`. */
function withoutVersion(url: string): string {
  return url.replace(/^\/v1(?=\/)/, '');
}

function readBody(customId: string, body: unknown, models: LineRules['models']): BatchLine | Fault {
  const { model, messages, stream } = body as Readonly<Record<string, unknown>>;
  if (!isFilledString(model)) return faultOf('invalid_request', 'Model parameter is required.', 'body.model');
  if (stream === true) {
    return faultOf(
      'streaming_unsupported',
      'Chat Completions: Streaming is not supported in the Batch API.',
      'body.stream',
    );
  }
  if (!models.has(model)) {
    const named = model.slice(0, MAX_NAMED_UNITS).toWellFormed();
    const message = `The provided model '${named}' is not supported by the Batch API.`;
    return faultOf('model_not_found', message, 'body.model');
  }
  if (!Array.isArray(messages) || messages.length === 0) {
    return faultOf('invalid_request', 'Messages parameter is required.', 'body.messages');
  }
  if (models.get(model) === 'request') {
    const asked = readChatRequest(body);
    if ('code' in asked) return faultOf(asked.code, asked.message, `body.${asked.param}`);
    return { customId, model, text: JSON.stringify(body) };
  }
  const text = textOfLastUserMessage(messages);
  if (typeof text !== 'string') return text;
  const emptiness = findEmptiness(text);
  if (emptiness !== undefined) return messagesFault(`The last user message ${emptiness}.`);
  return { customId, model, text: text.toWellFormed() };
}

function textOfLastUserMessage(messages: readonly unknown[]): string | Fault {
  const last = messages.findLast((message) => isRecord(message) && message.role === 'user');
  const content = isRecord(last) ? last.content : undefined;
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return messagesFault('The messages have no user message with text.');
  const texts: string[] = [];
  for (const part of content) {
    if (!isRecord(part) || part.type !== 'text' || typeof part.text !== 'string') {
      return messagesFault('The last user message has a part that is not text; a workflow takes text only.');
    }
    texts.push(part.text);
  }
  return texts.join('\n');
}

function messagesFault(message: string): Fault {
  return faultOf('invalid_request', message, 'body.messages');
}

function typeFault(param: string, expected: string): Fault {
  return faultOf('invalid_type', `Invalid type for '${param}': expected ${expected}.`, param);
}

function faultOf(code: string, message: string, param: string | null = null): Fault {
  return { code, message, param };
}
