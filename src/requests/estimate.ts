import type { NanoUsd } from '../money/money.ts';
import { priceBound } from '../money/price.ts';
import { countTokens } from '../text/tokens.ts';
import type { ModelSpec } from '../workflows/workflow.ts';
import type { ModelRequest } from './chat-request.ts';
import { schemaJson } from './repeated-json.ts';

/** Marks around each message that chat templates add, more than any known template uses. */
const TOKENS_PER_MESSAGE = 24;
const TOKENS_PER_REQUEST = 64;

/**
 * Upper bound of the tokens that any provider can count for a request: every tokenizer in use falls back to bytes,
 * so no token is shorter than a byte of what was sent.
 */
export function inputTokenBound(request: ModelRequest): number {
  const schema = request.responseFormat?.kind === 'json_schema' ? schemaBytes(request.responseFormat.schema) : 0;
  const content = request.messages.reduce((sum, { role, content: text }) => sum + bytesOf(role, text), 0);
  return content + schema + request.messages.length * TOKENS_PER_MESSAGE + TOKENS_PER_REQUEST;
}

/** The system prompt of a workflow is one string for all of its documents. */
let latestSystem = { text: '', bytes: 0 };

function bytesOf(role: string, text: string): number {
  if (role !== 'system') return Buffer.byteLength(text);
  if (latestSystem.text !== text) latestSystem = { text, bytes: Buffer.byteLength(text) };
  return latestSystem.bytes;
}

/** Tokens of a request by our own tokenizer: close for most models, exact for few. */
export function countRequestTokens(request: ModelRequest): number {
  const schema = request.responseFormat?.kind === 'json_schema' ? schemaTokens(request.responseFormat.schema) : 0;
  return request.messages.reduce((sum, message) => sum + countCached(message.content) + 4, schema + 3);
}

/** Upper bound of the tokens that a provider may store in its cache: everything but the turns, see {@link inputTokenBound}. */
export function writeTokenBound(request: ModelRequest): number {
  return inputTokenBound({ ...request, messages: request.messages.filter(({ role }) => role === 'system') });
}

/**
 * The most that a call can cost. Zero for a model without a price: then no budget applies.
 *
 * @param systemTokens most tokens before the first turn; absent: nothing is known, so all of the input
 */
export function holdFor(
  model: ModelSpec,
  inputTokens: number,
  maxOutputTokens: number,
  systemTokens: number = inputTokens,
): NanoUsd {
  if (model.price === undefined) return 0;
  const writeTokens = { none: 0, system: systemTokens, all: inputTokens }[model.cacheWrites ?? 'all'];
  return priceBound(model.price, inputTokens, maxOutputTokens, writeTokens) + (model.price.maxOverrun ?? 0);
}

/** What a call costs that stores nothing in a cache, unless its provider stores all by itself. */
export function typicalCost(model: ModelSpec, inputTokens: number, outputTokens: number): NanoUsd {
  return holdFor(model, inputTokens, outputTokens, 0) - (model.price?.maxOverrun ?? 0);
}

const bytesBySchema = new WeakMap<object, number>();
const tokensBySchema = new WeakMap<object, number>();

function schemaBytes(schema: object): number {
  return remember(bytesBySchema, schema, () => Buffer.byteLength(schemaJson(schema)));
}

function schemaTokens(schema: object): number {
  return remember(tokensBySchema, schema, () => countTokens(schemaJson(schema)));
}

function remember(cache: WeakMap<object, number>, key: object, compute: () => number): number {
  let value = cache.get(key);
  if (value === undefined) {
    value = compute();
    cache.set(key, value);
  }
  return value;
}

/** A request is counted before it is sent and again when its usage is there, and its system prompt for every document. */
const countedTexts = new Map<string, number>();
const COUNTED_TEXTS_KEPT = 64;

function countCached(text: string): number {
  const known = countedTexts.get(text);
  if (known !== undefined) return known;
  const tokens = countTokens(text);
  if (countedTexts.size >= COUNTED_TEXTS_KEPT) countedTexts.clear();
  countedTexts.set(text, tokens);
  return tokens;
}
