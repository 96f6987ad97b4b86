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
  if (!isRecord(choice) || !isRecord(choice.message)) return undefined;
  const content = parseContent(choice.message.content);
  if (content === undefined) return undefined;
  const { refusal } = choice.message;
  const declined = isFilledString(refusal);
  const logprobs = isRecord(choice.logprobs) ? parseLogprobs(choice.logprobs.content) : undefined;
  return {
    text: declined && content === '' ? refusal : content,
    finish: declined ? 'refusal' : parseFinish(choice.finish_reason),
    ...(logprobs === undefined ? {} : { logprobs }),
  };
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
    if (!Array.isArray(top)) tokens.push({ token, logprob });
    else
      tokens.push({
        token,
        logprob,
        top: top.filter(isTokenLogprob).map((t) => ({ token: t.token, logprob: t.logprob })),
      });
  }
  return tokens;
}

function isTokenLogprob(value: unknown): value is { readonly token: string; readonly logprob: number } {
  return isRecord(value) && typeof value.token === 'string' && typeof value.logprob === 'number';
}
