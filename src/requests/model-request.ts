import { hash } from 'node:crypto';
import type { AskVariant } from '../prompts/ask-variant.ts';
import type { ChatMessage } from '../prompts/chat.ts';
import type { AskedSettings, Prompt } from '../prompts/question.ts';
import type { ModelSpec } from '../workflows/workflow.ts';
import type { JsonFields, ModelRequest } from './chat-request.ts';
import { countRequestTokens } from './estimate.ts';
import { type Repair, repairPrompt } from './repair-prompt.ts';
import { messagesJson, schemaJson } from './repeated-json.ts';

export type { JsonFields, ModelRequest };

const RAISED_CAP_FACTOR = 4;
/** Our count of tokens is not every model's: this part of a window stays free. */
const SAFE_SHARE = 0.85;

/**
 * A prompt as one model is asked it.
 *
 * @param variant any but `first` raises the output cap, up to the model's own and as far as its window has room
 * @param repair adds a turn that says what was wrong with the reply before
 */
export function buildModelRequest(model: ModelSpec, given: Prompt, variant: AskVariant, repair?: Repair): ModelRequest {
  const prompt = withInstructions(given, model.instructions);
  const { ask, tokens: room } = model.reasoning ?? { tokens: 0 };
  const firstCap = Math.min(prompt.outputTokens + room, model.maxOutputTokens);
  const { asked } = prompt;
  const temperature = asked?.temperature ?? model.temperature;
  const request: ModelRequest = {
    modelId: model.id,
    messages: prompt.messages,
    maxOutputTokens: firstCap,
    ...(temperature === undefined ? {} : { temperature }),
    ...(asked === undefined ? { responseFormat: ownFormat(model, prompt) } : askedFormat(asked)),
    ...(asked?.sampling === undefined ? {} : { sampling: asked.sampling }),
    logprobs: asked === undefined ? model.logprobs : asked.logprobs === true,
    ...(ask === undefined ? {} : { reasoning: ask }),
    ...(model.request === undefined ? {} : { extra: model.request }),
  };
  if (variant === 'first') return request;
  const roomFor = (messages: readonly ChatMessage[]): number =>
    Math.floor(model.contextTokens - countRequestTokens({ ...request, messages }) / SAFE_SHARE);
  const messages =
    repair === undefined ? prompt.messages : repairPrompt(prompt, repair, (each) => roomFor(each) >= firstCap);
  const raised = Math.min((prompt.outputTokens + room) * RAISED_CAP_FACTOR, model.maxOutputTokens, roomFor(messages));
  return { ...request, messages, maxOutputTokens: Math.max(firstCap, raised) };
}

/** They stand at the end of the system prompt, so that what all tiers share comes first. */
function withInstructions(prompt: Prompt, instructions: string | undefined): Prompt {
  if (instructions === undefined) return prompt;
  const messages = prompt.messages.map((message) =>
    message.role === 'system' ? { ...message, content: `${message.content}\n\n${instructions}` } : message,
  );
  return { ...prompt, messages };
}

function ownFormat(
  { structuredOutput }: ModelSpec,
  { responseSchema }: Prompt,
): NonNullable<ModelRequest['responseFormat']> {
  return structuredOutput === 'json_schema' ? { kind: 'json_schema', ...responseSchema } : { kind: structuredOutput };
}

function askedFormat({ format }: AskedSettings): Pick<ModelRequest, 'responseFormat'> {
  return format === undefined ? {} : { responseFormat: format };
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
      ? `{"kind":"json_schema","name":${JSON.stringify(responseFormat.name)},"schema":${schemaJson(responseFormat.schema)}${responseFormat.strict === undefined ? '' : `,"strict":${responseFormat.strict}`}}`
      : JSON.stringify(responseFormat);
  let json = `{"modelId":${JSON.stringify(modelId)},"messages":${messagesJson(messages)},"maxOutputTokens":${maxOutputTokens}`;
  if (others.temperature !== undefined) json += `,"temperature":${others.temperature}`;
  if (format !== undefined) json += `,"responseFormat":${format}`;
  if (others.sampling !== undefined) json += `,"sampling":${JSON.stringify(others.sampling)}`;
  if (others.logprobs !== undefined) json += `,"logprobs":${others.logprobs}`;
  if (others.reasoning !== undefined) json += `,"reasoning":${JSON.stringify(others.reasoning)}`;
  if (others.extra !== undefined) json += `,"extra":${JSON.stringify(others.extra)}`;
  return `${json}}`;
}
