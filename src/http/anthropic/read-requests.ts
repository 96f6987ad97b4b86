import { findIdFault } from '../../documents/document-id.ts';
import { DuplicateIds } from '../../documents/duplicate-ids.ts';
import { isFilledString, isRecord } from '../../text/json-value.ts';
import { type LineRules, readBatchLine } from '../openai/input-lines.ts';
import { AnthropicError } from './anthropic-error.ts';

const MAX_REQUESTS = 100_000;
const URL = '/v1/chat/completions';

type Fields = Readonly<Record<string, unknown>>;

/** What asks for nothing, or changes nothing about the answer. */
const IGNORED = ['metadata', 'service_tier'];
const SAMPLING = ['temperature', 'top_p'];

/**
 * The requests of a batch as lines of a batch file. Every one is looked at before anything is stored: a bad one refuses the batch.
 *
 * @throws {AnthropicError} 400, with the path of the first fault
 */
export function readRequests(body: unknown, models: LineRules['models']): readonly string[] {
  const requests = isRecord(body) ? body.requests : undefined;
  if (!Array.isArray(requests)) throw new AnthropicError(400, 'requests: Field required');
  if (requests.length === 0) throw new AnthropicError(400, 'requests: List should have at least 1 item');
  if (requests.length > MAX_REQUESTS) {
    throw new AnthropicError(400, `requests: List should have at most ${MAX_REQUESTS} items, not ${requests.length}`);
  }
  const rules = { endpoint: URL, models, maxLineBytes: Number.POSITIVE_INFINITY };
  const ids = new DuplicateIds();
  return requests.map((request: unknown, index) => {
    const at = `requests.${index}`;
    const line = JSON.stringify(lineOf(request, at));
    const read = readBatchLine(Buffer.from(line), rules);
    if (read === undefined || 'code' in read)
      throw new AnthropicError(400, `${at}.params: ${read?.message ?? 'empty'}`);
    if (!ids.add(read.customId))
      throw new AnthropicError(400, `${at}.custom_id: "${read.customId}" is the id of another request too`);
    return line;
  });
}

function lineOf(request: unknown, at: string): object {
  const { custom_id: id, params } = isRecord(request) ? request : {};
  if (!isFilledString(id)) throw new AnthropicError(400, `${at}.custom_id: Field required`);
  const fault = findIdFault(id);
  if (fault !== undefined) throw new AnthropicError(400, `${at}.custom_id: it ${fault}`);
  if (!isRecord(params)) throw new AnthropicError(400, `${at}.params: Field required`);
  return { custom_id: id, method: 'POST', url: URL, body: chatBody(params, `${at}.params`) };
}

/** A request to Anthropic's Messages API as a chat-completions request. */
function chatBody(params: Fields, at: string): object {
  const { model, messages, max_tokens: cap, system, stop_sequences: stop, stream, ...others } = params;
  if (!isFilledString(model)) throw new AnthropicError(400, `${at}.model: Field required`);
  if (!Number.isSafeInteger(cap) || (cap as number) < 1)
    throw new AnthropicError(400, `${at}.max_tokens: Field required, a whole number from 1`);
  if (!Array.isArray(messages)) throw new AnthropicError(400, `${at}.messages: Field required`);
  if (stream === true) throw new AnthropicError(400, `${at}.stream: streaming is not supported in batches`);
  const unknown = Object.keys(others).find((name) => !IGNORED.includes(name) && !SAMPLING.includes(name));
  if (unknown !== undefined) throw new AnthropicError(400, `${at}.${unknown.slice(0, 60)}: it is not supported here`);
  const first = system === undefined ? [] : [{ role: 'system', content: system }];
  const sampling = Object.fromEntries(
    SAMPLING.filter((name) => params[name] !== undefined).map((name) => [name, params[name]]),
  );
  return {
    model,
    messages: [...first, ...messages],
    max_tokens: cap,
    ...sampling,
    ...(stop === undefined ? {} : { stop }),
  };
}
