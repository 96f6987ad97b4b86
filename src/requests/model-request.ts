import { hash } from 'node:crypto';
import type { AskVariant } from '../prompts/ask-variant.ts';
import type { ChatMessage } from '../prompts/chat.ts';
import type { Prompt } from '../prompts/question.ts';
import type { ReasoningRequest } from '../workflows/reasoning.ts';
import type { ModelSpec } from '../workflows/workflow.ts';
import { messagesJson, schemaJson } from './repeated-json.ts';

/** Fields of a request's JSON, as a provider names them. */
export type JsonFields = Readonly<Record<string, unknown>>;

/** One chat request, provider-neutral. Deterministic: the same request has the same call key. */
export interface ModelRequest {
  /** The provider's own name of the model, e.g. `gpt-4.1-mini-2025-04-14`. */
  readonly modelId: string;
  readonly messages: readonly ChatMessage[];
  /** Tokens the reply may have, reasoning included. */
  readonly maxOutputTokens: number;
  readonly temperature?: number;
  /** The reply must be JSON; `schema` says of which shape, where the server can be told. */
  readonly responseFormat?:
    | { readonly kind: 'json_schema'; readonly name: string; readonly schema: Readonly<Record<string, unknown>> }
    | { readonly kind: 'json_object' }
    | { readonly kind: 'prompt' };
  /** Ask for log-probabilities of the reply's tokens, where the provider has them. */
  readonly logprobs?: boolean;
  /** How much to think before the reply. Absent: nothing is said about it, and the key is as it always was. */
  readonly reasoning?: ReasoningRequest;
  /** Further fields, which are none of those above. */
  readonly extra?: JsonFields;
}

const RAISED_CAP_FACTOR = 4;

/** Of a reply that a repair turn quotes. */
const QUOTED_CHARACTERS = 4000;

/** What went wrong with the reply that a repair turn quotes. */
export interface Repair {
  readonly reply: string;
  readonly detail: string;
}

/**
 * A prompt as one model is asked it.
 *
 * @param variant any but `first` raises the output cap, up to the model's own
 * @param repair adds a turn that says what was wrong with the reply before
 */
export function buildModelRequest(
  model: ModelSpec,
  prompt: Prompt,
  variant: AskVariant,
  repair?: Repair,
): ModelRequest {
  const { ask, tokens: room } = model.reasoning ?? { tokens: 0 };
  const cap = (prompt.outputTokens + room) * (variant === 'first' ? 1 : RAISED_CAP_FACTOR);
  return {
    modelId: model.id,
    messages: repair === undefined ? prompt.messages : withRepair(prompt.messages, repair),
    maxOutputTokens: Math.min(cap, model.maxOutputTokens),
    ...(model.temperature === undefined ? {} : { temperature: model.temperature }),
    responseFormat:
      model.structuredOutput === 'json_schema'
        ? { kind: 'json_schema', ...prompt.responseSchema }
        : { kind: model.structuredOutput },
    logprobs: model.logprobs,
    ...(ask === undefined ? {} : { reasoning: ask }),
    ...(model.request === undefined ? {} : { extra: model.request }),
  };
}

/** An empty reply is asked again plainly: Anthropic, Gemini and Mistral refuse an empty assistant turn. */
function withRepair(messages: readonly ChatMessage[], repair: Repair): readonly ChatMessage[] {
  if (repair.reply.trim() !== '') return [...messages, ...repairMessages(repair)];
  return messages.map((message, index) =>
    index < messages.length - 1
      ? message
      : { ...message, content: `${message.content}\n\nAnswer with the JSON object.` },
  );
}

/** A repair turn: the reply, and what to do better. */
export function repairMessages({ reply, detail }: Repair): ChatMessage[] {
  return [
    { role: 'assistant', content: cutText(reply, QUOTED_CHARACTERS) },
    { role: 'user', content: `That answer was not valid: ${detail}. Answer again, with the JSON object only.` },
  ];
}

/** Never in the middle of a character of two units. */
function cutText(text: string, units: number): string {
  const end = /[\uD800-\uDBFF]/.test(text.charAt(units - 1)) ? units - 1 : units;
  return text.slice(0, end);
}

/**
 * Names a paid reply: the same request to the same model has the same key, on every worker and after every restart,
 * so a reply that is stored is found again and never bought twice. 22 characters.
 */
export function callKey(provider: string, request: ModelRequest): string {
  return hash('sha256', `${provider}\0${requestJson(request)}`, 'base64url').slice(0, 22);
}

/** As `JSON.stringify` writes what `buildModelRequest` builds. */
function requestJson({ modelId, messages, maxOutputTokens, responseFormat, ...others }: ModelRequest): string {
  const format =
    responseFormat?.kind === 'json_schema'
      ? `{"kind":"json_schema","name":${JSON.stringify(responseFormat.name)},"schema":${schemaJson(responseFormat.schema)}}`
      : JSON.stringify(responseFormat);
  const parts = [
    `"modelId":${JSON.stringify(modelId)}`,
    `"messages":${messagesJson(messages)}`,
    `"maxOutputTokens":${maxOutputTokens}`,
    ...(others.temperature === undefined ? [] : [`"temperature":${others.temperature}`]),
    ...(format === undefined ? [] : [`"responseFormat":${format}`]),
    ...(others.logprobs === undefined ? [] : [`"logprobs":${others.logprobs}`]),
    ...(others.reasoning === undefined ? [] : [`"reasoning":${JSON.stringify(others.reasoning)}`]),
    ...(others.extra === undefined ? [] : [`"extra":${JSON.stringify(others.extra)}`]),
  ];
  return `{${parts.join(',')}}`;
}
