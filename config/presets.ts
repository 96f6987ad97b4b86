import type { EndpointCapabilities } from '../src/providers/endpoint-capabilities.ts';
import type { ProviderKind } from '../src/providers/provider-endpoint.ts';

/** What is known about one kind of server. Everything in it can be overridden by the provider that names it. */
export interface ProviderPreset {
  readonly kind: ProviderKind;
  /** Absent: everyone has an address of their own. */
  readonly baseUrl?: string;
  /** Where there is no `baseUrl`: what one looks like. */
  readonly exampleUrl?: string;
  /** The header that carries the key, where it is not the usual one of its kind. */
  readonly authHeader?: 'api-key';
  /** Zone in which its limits a day start over; absent: UTC. */
  readonly dayTimezone?: string;
  /** `logprobs` false: asking for them is an error there. */
  readonly capabilities: EndpointCapabilities;
}

const CHAT: EndpointCapabilities = {
  maxTokensField: 'max_tokens',
  structuredOutput: 'json_schema',
  logprobs: true,
  temperature: true,
  promptCache: 'automatic',
  reasoning: 'effort',
};

const PRESET_RECORDS = {
  /**
   * `max_tokens` is deprecated and refused by reasoning models, GPT-5 and later; those also refuse any temperature but
   * the default, and log-probabilities (https://platform.openai.com/docs/api-reference/chat/create). Which efforts a
   * model takes differs (https://developers.openai.com/api/docs/guides/reasoning).
   */
  openai: {
    kind: 'openai',
    baseUrl: 'https://api.openai.com/v1',
    capabilities: { ...CHAT, maxTokensField: 'max_completion_tokens' },
  },
  /**
   * As OpenAI; the key travels as `api-key`, and `id` is the deployment's name. `/openai/v1` needs no version;
   * `/openai/deployments/NAME?api-version=…` works too (https://learn.microsoft.com/azure/ai-services/openai/reference).
   */
  azure: {
    kind: 'openai',
    exampleUrl: 'https://NAME.openai.azure.com/openai/v1',
    authHeader: 'api-key',
    capabilities: { ...CHAT, maxTokensField: 'max_completion_tokens' },
  },
  /**
   * `logprobs` is answered with 400 (https://console.groq.com/docs/openai); JSON schemas work with some models only,
   * with others 400 (https://console.groq.com/docs/structured-outputs). Its `x-ratelimit-*-requests` headers count a
   * day, those of tokens per minute (https://console.groq.com/docs/rate-limits).
   */
  groq: {
    kind: 'openai',
    baseUrl: 'https://api.groq.com/openai/v1',
    capabilities: {
      ...CHAT,
      maxTokensField: 'max_completion_tokens',
      structuredOutput: 'json_object',
      logprobs: false,
    },
  },
  /**
   * JSON objects but no schemas; cached tokens come as `prompt_cache_hit_tokens`; thinking models refuse
   * log-probabilities (https://api-docs.deepseek.com/api/create-chat-completion). It sends no rate-limit headers. Thinking
   * is on unless `thinking.type` is `disabled` (https://api-docs.deepseek.com/guides/thinking_mode).
   */
  deepseek: {
    kind: 'openai',
    baseUrl: 'https://api.deepseek.com/v1',
    capabilities: { ...CHAT, structuredOutput: 'json_object', reasoning: 'thinking' },
  },
  /**
   * `logprobs` is a number there, at most 1 with many models, and the answer has another shape for most
   * (https://docs.together.ai/reference/chat-completions-1, togethercomputer/together-python issue 251). Models that can
   * do both are switched by `reasoning.enabled` (https://docs.together.ai/docs/reasoning-overview).
   */
  together: {
    kind: 'openai',
    baseUrl: 'https://api.together.xyz/v1',
    capabilities: { ...CHAT, logprobs: false, promptCache: 'none', reasoning: 'switch' },
  },
  /**
   * Unknown fields, `max_completion_tokens` and `logprobs` among them, are answered with 422
   * (https://docs.mistral.ai/api, editor-code-assistant/eca issue 315); caching wants a key of its own per request.
   */
  mistral: {
    kind: 'openai',
    baseUrl: 'https://api.mistral.ai/v1',
    capabilities: { ...CHAT, logprobs: false, promptCache: 'none' },
  },
  /**
   * Usage is native and always there, `cache_write_tokens` included (https://openrouter.ai/docs/use-cases/usage-accounting);
   * what a model's server does not know is left out silently, so `doctor` should look at each model. `reasoning` takes an
   * effort or a budget for every model (https://openrouter.ai/docs/use-cases/reasoning-tokens).
   */
  openrouter: {
    kind: 'openai',
    baseUrl: 'https://openrouter.ai/api/v1',
    capabilities: { ...CHAT, reasoning: 'object' },
  },
  /**
   * JSON schemas by `response_format` (https://deepinfra.com/docs/advanced/json_mode), log-probabilities in the shape of
   * OpenAI (https://deepinfra.com/docs/advanced/log_probs); usage also carries `estimated_cost`.
   */
  deepinfra: {
    kind: 'openai',
    baseUrl: 'https://api.deepinfra.com/v1/openai',
    capabilities: { ...CHAT, promptCache: 'none' },
  },
  /**
   * `max_completion_tokens`; JSON schemas want `strict`; its rate-limit headers count requests per day and tokens per minute
   * (https://inference-docs.cerebras.ai/api-reference/chat-completions).
   */
  cerebras: {
    kind: 'openai',
    baseUrl: 'https://api.cerebras.ai/v1',
    capabilities: { ...CHAT, maxTokensField: 'max_completion_tokens', promptCache: 'none' },
  },
  /** Reasoning models refuse log-probabilities and some efforts (https://docs.x.ai/docs/api-reference); caching is automatic. */
  xai: {
    kind: 'openai',
    baseUrl: 'https://api.x.ai/v1',
    capabilities: { ...CHAT, maxTokensField: 'max_completion_tokens', logprobs: false },
  },
  /**
   * JSON objects but no log-probabilities; cached tokens are found by themselves
   * (https://platform.moonshot.ai/docs/api/chat). Thinking is switched by `thinking.type`.
   */
  moonshot: {
    kind: 'openai',
    baseUrl: 'https://api.moonshot.ai/v1',
    capabilities: { ...CHAT, structuredOutput: 'json_object', logprobs: false, reasoning: 'thinking' },
  },
  /** Ids are `accounts/fireworks/models/NAME`; JSON schemas (https://docs.fireworks.ai/structured-responses/structured-response-formatting). */
  fireworks: {
    kind: 'openai',
    baseUrl: 'https://api.fireworks.ai/inference/v1',
    capabilities: { ...CHAT, logprobs: false },
  },
  /**
   * What the model behind it does not know is refused unless the proxy has `drop_params: true`
   * (https://docs.litellm.ai/docs/completion/drop_params); rate-limit headers are the key's or the model's
   * (https://docs.litellm.ai/docs/proxy/response_headers).
   */
  litellm: { kind: 'openai', exampleUrl: 'http://127.0.0.1:4000/v1', capabilities: CHAT },
  /**
   * Cached tokens are reported with `--enable-prompt-tokens-details` only
   * (https://docs.vllm.ai/en/stable/serving/openai_compatible_server/). No rate limits. Qwen3 and others think unless the
   * chat template is told not to (https://docs.vllm.ai/en/stable/features/reasoning_outputs/).
   */
  vllm: {
    kind: 'openai',
    exampleUrl: 'http://127.0.0.1:8000/v1',
    capabilities: { ...CHAT, reasoning: 'template' },
  },
  /**
   * Keeps the last prompt of each slot (https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md). Builds
   * before July 2026 switch thinking off by the chat template only (ggml-org/llama.cpp pull request 26045).
   */
  llamacpp: {
    kind: 'openai',
    exampleUrl: 'http://127.0.0.1:8080/v1',
    capabilities: { ...CHAT, reasoning: 'template' },
  },
  /**
   * Log-probabilities since 0.12.11, `max_completion_tokens` is not among the fields it reads
   * (https://docs.ollama.com/api/openai-compatibility). It reports no cached tokens. No rate limits.
   */
  ollama: {
    kind: 'openai',
    exampleUrl: 'http://127.0.0.1:11434/v1',
    capabilities: { ...CHAT, promptCache: 'none' },
  },
  /**
   * No log-probabilities; API 2026-10-21 refuses a temperature; the cache wants its marks
   * (https://platform.claude.com/docs/en/api/messages).
   */
  anthropic: {
    kind: 'anthropic',
    baseUrl: 'https://api.anthropic.com/v1',
    capabilities: { ...CHAT, logprobs: false, temperature: false, promptCache: 'markers', reasoning: 'thinking' },
  },
  /**
   * Newer models answer `responseLogprobs` with 400 (googleapis/python-genai issue 1921); caching is implicit
   * (https://ai.google.dev/gemini-api/docs/caching). It sends no rate-limit headers; a 429 says how long to wait.
   */
  gemini: {
    kind: 'gemini',
    // https://ai.google.dev/gemini-api/docs/rate-limits: requests per day reset at midnight Pacific time.
    dayTimezone: 'America/Los_Angeles',
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
    capabilities: { ...CHAT, logprobs: false, reasoning: 'thinking' },
  },
} as const satisfies Readonly<Record<string, ProviderPreset>>;

export type PresetName = keyof typeof PRESET_RECORDS;

export const PRESETS: Readonly<Record<PresetName, ProviderPreset>> = PRESET_RECORDS;

export const PRESET_NAMES = Object.keys(PRESET_RECORDS) as [PresetName, ...PresetName[]];

/** A chat-completions server of which nothing is known: what most of them understand. */
const UNKNOWN_CHAT_SERVER: ProviderPreset = {
  kind: 'openai',
  exampleUrl: 'https://api.openai.com/v1',
  capabilities: CHAT,
};

/** What a provider starts from: its preset, else what is known about its kind. */
export function presetOf(provider: {
  readonly preset?: PresetName | undefined;
  readonly kind?: ProviderKind | undefined;
}): ProviderPreset {
  if (provider.preset !== undefined) return PRESETS[provider.preset];
  return provider.kind === 'anthropic' || provider.kind === 'gemini' ? PRESETS[provider.kind] : UNKNOWN_CHAT_SERVER;
}
