import type { ModelFailureClass } from './failure.ts';

const MAX_MESSAGE_LENGTH = 10_000;

/** Longest wait taken from a provider's header: one hour. A longer one is a mistake or a daily quota; ask again. */
export const MAX_RETRY_AFTER_MS = 3_600_000;

export interface HttpFailure {
  readonly failure: ModelFailureClass;
  /** The provider's own code or type, e.g. `context_length_exceeded`. */
  readonly providerCode?: string;
  /** The provider's message, or the body as it came where it has none; at most 10,000 characters. */
  readonly providerMessage: string;
  /** 0 to `MAX_RETRY_AFTER_MS`; absent where the headers name no wait. */
  readonly retryAfterMs?: number;
}

/**
 * Codes that mean the account has no money left. Exact codes only: Gemini words its per-minute limits as
 * "exceeded your current quota, please check your plan and billing details", so quota texts prove nothing.
 */
const OUT_OF_CREDIT_CODES: ReadonlySet<string> = new Set([
  'insufficient_quota', // OpenAI
  'billing_hard_limit_reached',
  'billing_not_active',
  'organization_spend_limit_exceeded',
  'organization_usage_limit_exceeded',
  'project_spend_limit_exceeded',
  'exceeded_current_quota_error', // Moonshot, with status 429
  'insufficient_balance',
  'insufficient_credits',
  'budget_exceeded', // LiteLLM
]);

const OUT_OF_CREDIT_TEXT =
  /insufficient (?:account )?(?:balance|credits?|funds)|credit balance is too low|used all available credits/i;

const REFUSED_CODES: ReadonlySet<string> = new Set([
  'content_filter', // OpenAI, Azure
  'content_policy_violation',
  'ResponsibleAIPolicyViolation', // Azure, as the inner error
  'moderation_blocked',
  'data_inspection_failed', // Alibaba
  'DataInspectionFailed',
]);

const REFUSED_TEXT = new RegExp(
  [
    'content management policy', // Azure, and what gateways make of it
    'ContentPolicyViolation', // LiteLLM
    'Content Exists Risk', // DeepSeek
    'content violates usage guidelines', // xAI, with status 403
    'flagged as potentially violating', // OpenAI, code invalid_prompt
    'requires moderation .*your input was flagged', // OpenRouter, with status 403
  ].join('|'),
  'i',
);

const OVERFLOW_CODES: ReadonlySet<string> = new Set([
  'context_length_exceeded', // OpenAI, Azure, Groq
  'exceed_context_size_error', // llama.cpp, which sent status 500 until autumn 2025
  'model_context_window_exceeded', // Z.ai
]);

const OVERFLOW_TEXT = new RegExp(
  [
    "maximum context length(?: is|'s)? (?:limited to )?[\\d,]+", // OpenAI, Azure, DeepSeek, OpenRouter, older vLLM
    "model's context length is only [\\d,]+", // vLLM
    'longer than the (?:maximum model length|maximum context length|model.s context length)', // vLLM, SGLang
    'max_tokens must be at least 1, got -', // vLLM: the prompt alone is over the limit
    'too large for model with [\\d,]+ maximum context length', // Mistral
    'reduce the length of the (?:messages|input|prompt)', // OpenAI, Groq
    'exceeds? the (?:available context size|context window|(?:maximum |max )?context length)', // llama.cpp, OpenAI, Ollama
    'exceed context window of [\\d,]+', // llama-cpp-python
    'prompt too long; exceeded (?:max )?context length', // Ollama
    'greater than the context length', // LM Studio
    'prompt is too long', // Anthropic behind a gateway
    'input token count.*exceeds the maximum', // Gemini
    'maximum prompt length is [\\d,]+', // xAI
    'exceeded model token limit', // Moonshot
    'context window exceeds limit', // MiniMax
    'inputs? tokens? \\+ max_new_tokens. must be <=', // Text Generation Inference
  ].join('|'),
  'i',
);

/** OpenAI (429) and Groq (413): one request larger than the whole minute's quota never passes, however long it waits. */
const LARGER_THAN_QUOTA_TEXT = /request too large for/i;

const KEY_REFUSED_TEXT = /api key (?:not valid|expired)/i;

/**
 * The failure class of an HTTP status other than 2xx. Pure.
 *
 * Codes are read from the fields meant for them, never searched for in the text, because servers quote the
 * document in some errors and a document must not be able to pause a provider.
 *
 * @param headers response headers, lower-case names
 * @param nowMs only for a Retry-After date in an answer without a `date` header
 */
export function classifyHttpFailure(
  status: number,
  bodyText: string,
  headers: Readonly<Record<string, string>>,
  nowMs?: number,
): HttpFailure {
  const body = readErrorBody(bodyText);
  const retryAfterMs = readRetryAfter(headers, nowMs);
  return {
    failure: failureClass(status, body),
    providerMessage: body.message,
    ...(body.codes[0] === undefined ? {} : { providerCode: body.codes[0] }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

function failureClass(status: number, { codes, message }: ErrorBody): ModelFailureClass {
  const isOneOf = (set: ReadonlySet<string>) => codes.some((code) => set.has(code));
  if (status === 408) return 'server_error';
  if (status === 413) return 'context_overflow';
  if (status === 402 || isOneOf(OUT_OF_CREDIT_CODES)) return 'out_of_credit';
  if (isOneOf(OVERFLOW_CODES)) return 'context_overflow';
  if (status === 429)
    return LARGER_THAN_QUOTA_TEXT.test(message) ? 'context_overflow' : moneyOr('rate_limited', message);
  // llama-cpp-python and some gateways answer 500 to a prompt that is too long; trying again would never end well.
  if (status >= 500) return status === 500 && OVERFLOW_TEXT.test(message) ? 'context_overflow' : 'server_error';
  if (status === 401) return 'authentication';
  if (isOneOf(REFUSED_CODES) || REFUSED_TEXT.test(message)) return 'refused_content';
  if (status === 403) return moneyOr('authentication', message);
  if (status === 400 || status === 422) {
    if (OVERFLOW_TEXT.test(message)) return 'context_overflow';
    if (codes.includes('invalid_api_key') || KEY_REFUSED_TEXT.test(message)) return 'authentication';
    return moneyOr('bad_request', message);
  }
  return 'bad_request';
}

function moneyOr(other: ModelFailureClass, message: string): ModelFailureClass {
  return OUT_OF_CREDIT_TEXT.test(message) ? 'out_of_credit' : other;
}

/** `retry-after-ms`, else `retry-after` in seconds (decimals allowed) or as a date; malformed values count as absent. */
function readRetryAfter(headers: Readonly<Record<string, string>>, nowMs: number | undefined): number | undefined {
  const milliseconds = readDecimal(headers['retry-after-ms']);
  if (milliseconds !== undefined) return boundWait(milliseconds);
  const value = headers['retry-after'];
  const seconds = readDecimal(value);
  if (seconds !== undefined) return boundWait(seconds * 1000);
  if (value === undefined) return undefined;
  // Measured against the provider's own clock where it tells it, so that a wrong clock here does no harm.
  const serverNowMs = Date.parse(headers.date ?? '');
  const waitMs = Date.parse(value) - (Number.isNaN(serverNowMs) ? (nowMs ?? Number.NaN) : serverNowMs);
  return Number.isNaN(waitMs) ? undefined : boundWait(waitMs);
}

function readDecimal(value: string | undefined): number | undefined {
  return value !== undefined && /^\d+(?:\.\d+)?$/.test(value.trim()) ? Number(value) : undefined;
}

function boundWait(ms: number): number {
  return Math.min(Math.max(Math.ceil(ms), 0), MAX_RETRY_AFTER_MS);
}

interface ErrorBody {
  /** Code, type and inner code, in this order, as far as they are there. */
  readonly codes: readonly string[];
  readonly message: string;
}

/**
 * Reads the shapes in use: `{error: {message, type, code}}` (OpenAI and most), the same in an array (Gemini),
 * `{error: "text"}` (Ollama), `{message, type, code}` (Mistral, older vLLM), `{detail}` (FastAPI), and
 * `{error: {metadata: {raw}}}` (OpenRouter, where `raw` is what its upstream said).
 */
function readErrorBody(bodyText: string): ErrorBody {
  const parsed = parseJson(bodyText);
  const root = asRecord(Array.isArray(parsed) ? parsed[0] : parsed);
  if (root === undefined) return { codes: [], message: bodyText.slice(0, MAX_MESSAGE_LENGTH) };
  const error = asRecord(root.error) ?? root;
  const innerCode =
    asRecord(error.innererror)?.code ?? asRecord(asRecord(error.provider_specific_fields)?.innererror)?.code;
  const texts = [root.error, error.message, error.detail, asRecord(error.metadata)?.raw].filter(isFilledString);
  return {
    codes: [error.code, error.type, innerCode].map(codeText).filter(isFilledString),
    message: (texts.length === 0 ? bodyText : texts.join(' ')).slice(0, MAX_MESSAGE_LENGTH),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function codeText(value: unknown): unknown {
  return typeof value === 'number' ? String(value) : value;
}

function isFilledString(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
