import type { ModelFailureClass } from './failure.ts';
import {
  isAloneOverLimit,
  maySpeakOfLength,
  speaksOfContent,
  speaksOfKey,
  speaksOfLength,
  speaksOfModel,
  speaksOfMoney,
  speaksOfThrottle,
  speaksOfTrouble,
  wordsOf,
} from './failure-wordings.ts';
import { type ErrorBody, readErrorBody } from './read-error-body.ts';
import { readRetryWait } from './read-retry-wait.ts';

export interface HttpFailure {
  readonly failure: ModelFailureClass;
  /** The provider's own code or type, e.g. `context_length_exceeded`. */
  readonly providerCode?: string;
  /** The provider's message, or the body as it came where it has none; at most 10,000 characters. */
  readonly providerMessage: string;
  /** 0 to `MAX_RETRY_AFTER_MS`; absent where nothing names a wait. */
  readonly retryAfterMs?: number;
  /** A `bad_request` that has a word about size in it, or no word at all, and may so mean that the request is too long. */
  readonly mayBeTooLong?: boolean;
  /** The model is what is refused: its id is wrong, it is withdrawn, or this account may not use it. */
  readonly refusesModel?: boolean;
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
  'billing_error', // Anthropic
  'enforced_spend_limit_reached', // Anthropic, as a 429 that no wait ends
  'contract_spend_limit_reached',
  'linked_organization_spend_limit_reached',
  'linked_organization_billing_unavailable',
  'BILLING_DISABLED', // Gemini, with status 403
  'Arrearage', // Alibaba, with status 400
  'AccountOverdueError', // Volcengine
  'blocked_api_access', // Groq, a spend alert
  'insufficient_user_quota', // One API
  '1113', // Zhipu
]);

/** Anthropic and OpenRouter, a limit set by their customer. */
const OUT_OF_CREDIT_TEXT = /^(?:you have reached your specified (?:workspace )?api usage limits|key limit exceeded)/i;

/** Codes with which every call with this key fails until a person acts, whatever the status. */
const ACCESS_CODES: ReadonlySet<string> = new Set([
  'invalid_api_key',
  'invalid_authentication',
  'authentication_error', // Anthropic
  'permission_error',
  'organization_on_hold',
  'cmek_key_disabled',
  'cmek_key_network_blocked',
  'API_KEY_INVALID', // Gemini, with status 400
  'API_KEY_EXPIRED',
]);

/** The model is not there or not for this account, whatever the status: every document fails alike. */
const MODEL_CODES: ReadonlySet<string> = new Set([
  'model_not_found', // OpenAI (404; 403 where the project may not use it), Azure, Groq
  'model_not_available', // Together, with status 422
  'model_decommissioned', // Groq, with status 400
  'model_terms_required', // Groq, with status 400, until the account's owner accepts them
  'DeploymentNotFound', // Azure
  'ModelNotOpen', // Volcengine
  'invalid_model', // Perplexity, with status 400
]);

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
    '^output blocked by content filtering policy', // Anthropic
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
    'exceeds? (?:the )?(?:available context size|context window|(?:maximum |max )?context length)', // llama.cpp, OpenAI, Ollama
    'exceed context window of [\\d,]+', // llama-cpp-python
    'prompt too long; exceeded (?:max )?context length', // Ollama
    'greater than the context length', // LM Studio
    'prompt is too long', // Anthropic
    'input token count.*exceeds the maximum', // Gemini
    'input token count is [\\d,]+ but (?:the )?model only supports', // Gemini on Vertex
    'exceed context limit: [\\d,]+', // Anthropic, prompt and cap together
    'maximum prompt length is [\\d,]+', // xAI
    'exceeded model token limit', // Moonshot
    'context window exceeds limit', // MiniMax
    "inputs?[`']? tokens? \\+ [`']?max_new_tokens[`']? must be <=", // Text Generation Inference
  ].join('|'),
  'i',
);

/** OpenAI (429) and Groq (413): one request larger than the whole minute's quota never passes, however long it waits. */
const LARGER_THAN_QUOTA_TEXT = /request too large for/i;

/** Nothing is wrong with the request: a conflict, a lost or early connection, a client that the server believed gone. */
const AGAIN_STATUS: ReadonlySet<number> = new Set([408, 409, 424, 425, 499]);

const ACCESS_TEXT = new RegExp(
  [
    'api key (?:not valid|expired)', // Gemini
    '^user location is not supported', // Gemini
    '^this organization has been disabled', // Anthropic
  ].join('|'),
  'i',
);

/**
 * The failure class of an HTTP status other than 2xx. Pure.
 *
 * Codes are read from the fields meant for them, never searched for in the text, because servers quote the
 * document in some errors and a document must not be able to pause a provider.
 *
 * @param headers response headers, lower-case names
 * @param nowMs only for a wait until a point in time, in an answer without a `date` header
 */
export function classifyHttpFailure(
  status: number,
  bodyText: string,
  headers: Readonly<Record<string, string>>,
  nowMs?: number,
): HttpFailure {
  const body = readErrorBody(bodyText);
  const retryAfterMs = readRetryWait(status, headers, body, nowMs);
  const failure = failureClass(status, headers, body);
  const isUnclear = failure === 'bad_request' && (status === 400 || status === 422);
  const refusesModel =
    failure === 'bad_request' && (refusedModelCode(body) || (isUnclear && speaksOfModel(wordsOf(body))));
  return {
    failure,
    providerMessage: body.message,
    ...(body.codes[0] === undefined ? {} : { providerCode: body.codes[0] }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(isUnclear && maySpeakOfLength(wordsOf(body)) ? { mayBeTooLong: true } : {}),
    ...(refusesModel ? { refusesModel } : {}),
  };
}

function refusedModelCode({ codes }: ErrorBody): boolean {
  return codes.some((code) => MODEL_CODES.has(code));
}

function failureClass(status: number, headers: Readonly<Record<string, string>>, body: ErrorBody): ModelFailureClass {
  const { codes, message } = body;
  const isOneOf = (set: ReadonlySet<string>) => codes.some((code) => set.has(code));
  const words = wordsOf(body);
  if (AGAIN_STATUS.has(status)) return 'server_error';
  if (status === 413) return 'context_overflow';
  if (status === 402 || isOneOf(OUT_OF_CREDIT_CODES) || OUT_OF_CREDIT_TEXT.test(message)) return 'out_of_credit';
  if (isOneOf(OVERFLOW_CODES) || isAloneOverLimit(message)) return 'context_overflow';
  if (status === 429) return refusedByLimit(message, words);
  // llama-cpp-python and some gateways answer 500 to a prompt that is too long; trying again would never end well.
  if (status >= 500) return status === 500 && OVERFLOW_TEXT.test(message) ? 'context_overflow' : 'server_error';
  if (status === 401) return speaksOfMoney(words) ? 'out_of_credit' : 'authentication';
  if (isOneOf(REFUSED_CODES) || REFUSED_TEXT.test(message)) return 'refused_content';
  if (status === 403) return refusedModelCode(body) ? 'bad_request' : forbidden(words);
  // Fireworks: an account that is suspended for its bills.
  if (status === 412 && speaksOfMoney(words)) return 'out_of_credit';
  if (status === 451 && speaksOfContent(words)) return 'refused_content';
  if (status === 400 || status === 422) {
    const known = badRequestClass(words, message, isOneOf(ACCESS_CODES));
    if (known !== undefined) return known;
  }
  return headers['x-should-retry'] === 'true' ? 'server_error' : 'bad_request';
}

function refusedByLimit(message: string, words: string): ModelFailureClass {
  if (LARGER_THAN_QUOTA_TEXT.test(message) || /context (?:length|window|size)/i.test(words)) return 'context_overflow';
  return speaksOfMoney(words) ? 'out_of_credit' : 'rate_limited';
}

function forbidden(words: string): ModelFailureClass {
  if (speaksOfMoney(words)) return 'out_of_credit';
  if (speaksOfContent(words)) return 'refused_content';
  return speaksOfThrottle(words) ? 'rate_limited' : 'authentication';
}

/** A 400 or 422 says least by its status: its words have to tell. */
function badRequestClass(words: string, message: string, isAccessCode: boolean): ModelFailureClass | undefined {
  if (OVERFLOW_TEXT.test(message)) return 'context_overflow';
  if (isAccessCode || ACCESS_TEXT.test(message)) return 'authentication';
  if (speaksOfMoney(words)) return 'out_of_credit';
  if (speaksOfContent(words)) return 'refused_content';
  if (speaksOfLength(words)) return 'context_overflow';
  if (speaksOfThrottle(words)) return 'rate_limited';
  if (speaksOfKey(words)) return 'authentication';
  return speaksOfTrouble(words) ? 'server_error' : undefined;
}
