import type { ModelReply, TokenLogprob } from '../../providers/model-client.ts';
import { isFilledString, isRecord } from '../../text/json-value.ts';
import type { ParsedReply } from '../provider-http/wire-format.ts';
import { parseUsage } from './parse-usage.ts';

/** Finish reasons of OpenAI, and of the servers that have words of their own for them. Others count as `other`. */
const FINISH: Readonly<Record<string, ModelReply['finish']>> = {
  stop: 'stop',
  eos: 'stop', // Together
  eos_token: 'stop', // Text Generation Inference
  stop_sequence: 'stop',
  end_turn: 'stop',
  length: 'length',
  max_tokens: 'length',
  model_length: 'length', // Mistral
  content_filter: 'refusal',
  sensitive: 'refusal', // Zhipu
  moderation: 'refusal',
  refusal: 'refusal',
};

/** Reads a parsed body of any shape; never throws. */
export function parseChatCompletion(body: unknown): ParsedReply {
  if (!isRecord(body)) return {};
  const usage = parseUsage(body.usage);
  const answer = parseChoice(Array.isArray(body.choices) ? body.choices[0] : undefined);
  return {
    ...(answer === undefined ? {} : { answer }),
    ...(usage === undefined ? {} : { usage }),
    ...(body.usage === undefined || body.usage === null ? {} : { rawUsage: body.usage }),
    ...(isFilledString(body.id) ? { id: body.id } : {}),
  };
}

function parseChoice(choice: unknown): ParsedReply['answer'] {
  if (!isRecord(choice) || !isRecord(choice.message) || hasFailed(choice)) return undefined;
  const written = parseContent(choice.message.content);
  if (written === undefined) return undefined;
  const content = written.trim() === '' ? (parseElsewhere(choice.message) ?? written) : written;
  const { refusal } = choice.message;
  const declined = isFilledString(refusal);
  const logprobs = isRecord(choice.logprobs) ? parseLogprobs(choice.logprobs.content) : undefined;
  return {
    text: declined && content === '' ? refusal : content,
    finish: declined ? 'refusal' : parseFinish(choice.finish_reason),
    ...(logprobs === undefined ? {} : { logprobs }),
  };
}

/** The server stopped in the middle: what stands there, whole as it may look, is not the model's answer. */
const FAILED_FINISH: ReadonlySet<unknown> = new Set([
  'error', // OpenRouter
  'network_error', // Zhipu
  'insufficient_system_resource', // DeepSeek
  'abort', // vLLM, SGLang
  'aborted',
  'cancelled',
]);

function hasFailed(choice: Readonly<Record<string, unknown>>): boolean {
  return FAILED_FINISH.has(choice.finish_reason) || isRecord(choice.error);
}

/** Some servers put the answer into a tool call, or wholly into the field for thinking. */
function parseElsewhere(message: Readonly<Record<string, unknown>>): string | undefined {
  const [call] = Array.isArray(message.tool_calls) ? message.tool_calls : [];
  if (isRecord(call) && isRecord(call.function) && isFilledString(call.function.arguments))
    return call.function.arguments;
  for (const field of ['reasoning_content', 'reasoning'] as const) {
    const thinking = message[field];
    if (typeof thinking === 'string' && thinking.includes('{')) return thinking;
  }
  return undefined;
}

function parseFinish(reason: unknown): ModelReply['finish'] {
  return typeof reason === 'string' && Object.hasOwn(FINISH, reason) ? (FINISH[reason] ?? 'other') : 'other';
}

/** A string, null, or parts of which only the text ones count (Mistral adds its thinking as a part). */
function parseContent(content: unknown): string | undefined {
  if (typeof content === 'string') return content;
  if (content === null || content === undefined) return '';
  if (!Array.isArray(content)) return undefined;
  return content
    .filter((part) => isRecord(part) && part.type === 'text' && typeof part.text === 'string')
    .map((part) => part.text)
    .join('');
}

/** Undefined where there are none or one of them is malformed: half of a confidence is none. */
function parseLogprobs(content: unknown): readonly TokenLogprob[] | undefined {
  if (!Array.isArray(content)) return undefined;
  const tokens: TokenLogprob[] = [];
  for (const entry of content) {
    if (!isTokenLogprob(entry)) return undefined;
    const top = (entry as { readonly top_logprobs?: unknown }).top_logprobs;
    const { token, logprob } = entry;
    const bytes = ownBytes(entry);
    if (!Array.isArray(top)) tokens.push({ token, logprob, ...bytes });
    else
      tokens.push({
        token,
        logprob,
        ...bytes,
        top: top.filter(isTokenLogprob).map((t) => ({ token: t.token, logprob: t.logprob })),
      });
  }
  return tokens;
}

function ownBytes(entry: { readonly token: string; readonly bytes?: unknown }): { bytes?: readonly number[] } {
  const { token, bytes } = entry;
  if (!Array.isArray(bytes) || !bytes.every((byte) => Number.isInteger(byte) && byte >= 0 && byte < 256)) return {};
  return Buffer.from(bytes).equals(Buffer.from(token)) ? {} : { bytes };
}

function isTokenLogprob(value: unknown): value is { readonly token: string; readonly logprob: number } {
  return isRecord(value) && typeof value.token === 'string' && typeof value.logprob === 'number';
}
