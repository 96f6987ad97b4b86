import { findIdFault } from '../../documents/document-id.ts';
import { DuplicateIds } from '../../documents/duplicates/duplicate-ids.ts';
import { JsonListFault, JsonListReader } from '../../text/json-list-reader.ts';
import { isFilledString, isRecord, parseJson } from '../../text/json-value.ts';
import { type LineRules, readBatchLine } from '../openai/input-lines.ts';
import { AnthropicError } from './anthropic-error.ts';

const MAX_REQUESTS = 100_000;
const URL = '/v1/chat/completions';

type Fields = Readonly<Record<string, unknown>>;

/** What asks for nothing, or changes nothing about the answer. */
const IGNORED = ['metadata', 'service_tier'];
const SAMPLING = ['temperature', 'top_p'];

/**
 * The requests of a batch as lines of a batch file, as the body comes. The first bad one refuses the batch; the rest is read all
 * the same, because a client that still sends would not see the answer.
 */
export class RequestLines {
  readonly #rules: LineRules;
  readonly #ids = new DuplicateIds();
  #count = 0;
  #fault: AnthropicError | undefined;

  /** @param rules what its models are, and how many bytes a request may have */
  constructor(rules: Omit<LineRules, 'endpoint'>) {
    this.#rules = { ...rules, endpoint: URL };
  }

  /** How many requests were read. */
  get count(): number {
    return this.#count;
  }

  /** What refuses the batch. It is here too because a store may fail with an error of its own when its body does. */
  get fault(): AnthropicError | undefined {
    return this.#fault;
  }

  /**
   * @yields lines with their line feed
   * @throws {AnthropicError} 400 at the end of the body, with the path of the first fault
   */
  async *read(body: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
    const reader = new JsonListReader('requests', this.#rules.maxLineBytes);
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.length;
      if (this.#fault === undefined) yield* this.#linesIn(chunk, reader);
    }
    this.#fault ??= this.#missing(reader, bytes);
    if (this.#fault !== undefined) throw this.#fault;
  }

  *#linesIn(chunk: Uint8Array, reader: JsonListReader): Generator<Buffer, void, undefined> {
    try {
      for (const item of reader.push(chunk)) yield Buffer.from(`${this.#line(item)}\n`);
    } catch (error) {
      if (error instanceof AnthropicError) this.#fault = error;
      else if (!(error instanceof JsonListFault)) throw error;
      else this.#fault = error.reason === 'malformed' ? malformed() : this.#tooLarge();
    }
  }

  #line(item: Buffer): string {
    const request = parseJson(item.toString());
    if (request === undefined) throw malformed();
    if (this.#count === MAX_REQUESTS) {
      throw new AnthropicError(400, `requests: List should have at most ${MAX_REQUESTS} items`);
    }
    const at = `requests.${this.#count}`;
    const line = JSON.stringify(lineOf(request, at));
    const bytes = Buffer.from(line);
    if (bytes.length > this.#rules.maxLineBytes) throw this.#tooLarge();
    const read = readBatchLine(bytes, this.#rules);
    if (read === undefined || 'code' in read)
      throw new AnthropicError(400, `${at}.params: ${read?.message ?? 'empty'}`);
    if (!this.#ids.add(read.customId))
      throw new AnthropicError(400, `${at}.custom_id: "${read.customId}" is the id of another request too`);
    this.#count += 1;
    return line;
  }

  #tooLarge(): AnthropicError {
    return new AnthropicError(
      400,
      `requests.${this.#count}: it has more than ${this.#rules.maxLineBytes} bytes, the most in one request`,
    );
  }

  #missing(reader: JsonListReader, bytes: number): AnthropicError | undefined {
    if (bytes > 0 && !reader.isOver) return malformed();
    if (!reader.wasSeen) return new AnthropicError(400, 'requests: Field required');
    return this.#count > 0 ? undefined : new AnthropicError(400, 'requests: List should have at least 1 item');
  }
}

function malformed(): AnthropicError {
  return new AnthropicError(400, 'The body is not valid JSON.');
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
