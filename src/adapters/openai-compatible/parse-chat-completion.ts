import type { ModelReply, TokenLogprob } from '../../providers/model-client.ts';
import { isFilledString, isRecord } from '../../text/json-value.ts';
import { errorBeside } from '../provider-http/error-beside.ts';
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

/** Words of other servers, where the list does not have theirs. */
const FINISH_WORDS: readonly (readonly [RegExp, ModelReply['finish']])[] = [
  [/filter|sensitiv|moderat|refus|safety|block|polic|guard|prohibit|recitation|censor|risk/i, 'refusal'],
  [/length|max.?tokens|token.?limit|context/i, 'length'],
];

/** The server stopped in the middle: what stands there, whole as it may look, is not the model's answer. */
const FAILED_FINISH =
  /error|abort|cancel|fail|insufficient|timed?.?out|interrupt|overload|unavailable|exhaust|disconnect|killed|preempt/i;

/** Reads a parsed body of any shape; never throws. */
export function parseChatCompletion(body: unknown): ParsedReply {
  if (!isRecord(body)) return {};
  const usage = parseUsage(body.usage);
  const choice: unknown = Array.isArray(body.choices) ? body.choices[0] : undefined;
  const error = errorBeside(body) ?? (isRecord(choice) ? errorOfChoice(choice) : undefined);
  const answer = error === undefined ? parseChoice(choice) : undefined;
  return {
    ...(answer === undefined ? {} : { answer }),
    ...(error === undefined ? {} : { error }),
    ...(usage === undefined ? {} : { usage }),
    ...(body.usage === undefined || body.usage === null ? {} : { rawUsage: body.usage }),
    // OpenRouter, and gateways that have taken over its field.
    ...(isRecord(body.usage) && typeof body.usage.cost === 'number' ? { statedUsd: body.usage.cost } : {}),
    ...(isFilledString(body.id) ? { id: body.id } : {}),
    ...(isFilledString(body.model) ? { model: body.model } : {}),
    ...(isFilledString(body.system_fingerprint) ? { fingerprint: body.system_fingerprint } : {}),
  };
}

function errorOfChoice(choice: Readonly<Record<string, unknown>>): unknown {
  const beside = errorBeside(choice);
  if (beside !== undefined) return beside;
  const { finish_reason: said, native_finish_reason: native } = choice;
  if (said !== undefined && said !== null && parseFinish(said) !== 'other') return undefined;
  // OpenRouter has its upstream's own word beside what it makes of it.
  const reason = [said, native].find((each) => isFilledString(each) && FAILED_FINISH.test(each));
  return reason === undefined ? undefined : { message: `finish_reason ${reason}`, code: reason };
}

function parseChoice(choice: unknown): ParsedReply['answer'] {
  if (!isRecord(choice) || !isRecord(choice.message)) return undefined;
  const { message } = choice;
  const written = parseContent(message.content);
  if (written === undefined) return undefined;
  const finish = parseFinish(choice.finish_reason);
  const content = written.trim() === '' ? (parseElsewhere(message, finish) ?? written) : written;
  const { refusal } = message;
  const declined = isFilledString(refusal);
  const logprobs = isRecord(choice.logprobs) ? parseLogprobs(choice.logprobs.content) : undefined;
  return {
    text: declined && content === '' ? refusal : content,
    finish: declined ? 'refusal' : finish,
    ...(logprobs === undefined ? {} : { logprobs }),
  };
}

/**
 * Some servers put the answer into a tool call, or wholly into the field for thinking. Thinking that was cut off has not
 * come to an answer.
 */
function parseElsewhere(message: Readonly<Record<string, unknown>>, finish: ModelReply['finish']): string | undefined {
  const [call] = Array.isArray(message.tool_calls) ? message.tool_calls : [];
  for (const each of [isRecord(call) ? call.function : undefined, message.function_call, call]) {
    const given = isRecord(each) ? (each.arguments ?? each.input ?? each.parameters) : undefined;
    if (isFilledString(given)) return given;
    if (isRecord(given)) return JSON.stringify(given);
  }
  if (finish === 'length') return undefined;
  return ['parsed', 'reasoning_content', 'reasoning', 'thinking']
    .map((field) => (isRecord(message[field]) ? JSON.stringify(message[field]) : message[field]))
    .find((text) => isFilledString(text) && text.trim() !== '') as string | undefined;
}

function parseFinish(reason: unknown): ModelReply['finish'] {
  if (typeof reason !== 'string') return 'other';
  if (Object.hasOwn(FINISH, reason)) return FINISH[reason] ?? 'other';
  return FINISH_WORDS.find(([words]) => words.test(reason))?.[1] ?? 'other';
}

/** A string, null, or parts of which only the text ones count (Mistral adds its thinking as a part). */
function parseContent(content: unknown): string | undefined {
  if (typeof content === 'string') return content;
  if (content === null || content === undefined) return '';
  if (isRecord(content)) return JSON.stringify(content);
  if (!Array.isArray(content)) return undefined;
  return content
    .map((part: unknown) => (isRecord(part) && isTextPart(part.type) ? part.text : part))
    .filter((text) => typeof text === 'string')
    .join('');
}

function isTextPart(type: unknown): boolean {
  return type === undefined || type === 'text' || type === 'output_text';
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
