import type { ChatMessage } from '../../prompts/chat.ts';
import type { AskedFormat, AskedSettings } from '../../prompts/question.ts';
import { isFilledString, isRecord } from '../../text/json-value.ts';

/** A chat request of a client, without the model that it names. */
export interface ChatAsk {
  readonly messages: readonly ChatMessage[];
  /** Most tokens of the reply; absent: the workflow's, or the model's own. */
  readonly maxTokens?: number;
  readonly settings: AskedSettings;
}

/** In the words of OpenAI's API. `param`: a path in the request. */
export interface ChatFault {
  readonly code: string;
  readonly message: string;
  readonly param: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** What changes nothing about the answer. */
const IGNORED = [
  'model',
  'user',
  'metadata',
  'store',
  'service_tier',
  'safety_identifier',
  'prompt_cache_key',
  'stream_options',
];
const USED = [
  ...['messages', 'response_format', 'max_tokens', 'max_completion_tokens', 'temperature', 'top_p', 'seed', 'stop'],
  ...['presence_penalty', 'frequency_penalty', 'logprobs', 'top_logprobs'],
];
/** Fields with their one value that asks for nothing. */
const NEUTRAL: Readonly<Record<string, unknown>> = { stream: false, n: 1, parallel_tool_calls: true };
const ROLES: Readonly<Record<string, ChatMessage['role']>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
};
const MAX_NAMED = 60;

/**
 * Reads the body of a chat-completions request. What no model here could be asked for, such as tools and pictures, is a fault:
 * leaving it out would answer another question.
 */
export function readChatRequest(value: unknown): ChatAsk | ChatFault {
  if (!isRecord(value)) return invalidType('body', 'an object');
  for (const [name, field] of Object.entries(value)) {
    if (field === null || IGNORED.includes(name) || USED.includes(name) || NEUTRAL[name] === field) continue;
    const named = name.slice(0, MAX_NAMED).toWellFormed();
    return {
      code: 'unsupported_parameter',
      message: `Unsupported parameter: '${named}' is not supported with this model.`,
      param: named,
    };
  }
  const messages = readMessages(value.messages);
  if ('code' in messages) return messages;
  const settings = readSettings(value);
  if ('code' in settings) return settings;
  const capName = (value.max_completion_tokens ?? null) === null ? 'max_tokens' : 'max_completion_tokens';
  const cap = value[capName] ?? undefined;
  if (cap === undefined) return { messages, settings };
  if (!Number.isSafeInteger(cap) || (cap as number) < 1) return invalidType(capName, 'an integer of at least 1');
  return { messages, settings, maxTokens: cap as number };
}

function readMessages(value: unknown): readonly ChatMessage[] | ChatFault {
  if (!Array.isArray(value) || value.length === 0) {
    return { code: 'invalid_request', message: 'Messages parameter is required.', param: 'messages' };
  }
  const messages: ChatMessage[] = [];
  for (const [index, message] of value.entries()) {
    const at = `messages[${index}]`;
    if (!isRecord(message)) return invalidType(at, 'an object');
    const role = typeof message.role === 'string' ? ROLES[message.role] : undefined;
    if (role === undefined) {
      const supported = Object.keys(ROLES)
        .map((one) => `'${one}'`)
        .join(', ');
      return {
        code: 'invalid_value',
        message: `Invalid value for '${at}.role'. Supported values are: ${supported}.`,
        param: `${at}.role`,
      };
    }
    const content = readContent(message.content, `${at}.content`);
    if (typeof content !== 'string') return content;
    messages.push({ role, content: content.toWellFormed() });
  }
  return messages;
}

function readContent(content: unknown, at: string): string | ChatFault {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return invalidType(at, 'a string or an array of text parts');
  const texts: string[] = [];
  for (const [index, part] of content.entries()) {
    if (!isRecord(part) || part.type !== 'text' || typeof part.text !== 'string') {
      const message = `Invalid value for '${at}[${index}].type'. Supported values are: 'text'.`;
      return { code: 'invalid_value', message, param: `${at}[${index}].type` };
    }
    texts.push(part.text);
  }
  return texts.join('\n');
}

function readSettings(value: Fields): AskedSettings | ChatFault {
  const numbers: Record<string, number> = {};
  for (const [name, [least, most]] of Object.entries(RANGES)) {
    const number = value[name] ?? undefined;
    if (number === undefined) continue;
    if (typeof number !== 'number' || !(number >= least && number <= most)) {
      return invalidType(name, `a number from ${least} to ${most}`);
    }
    numbers[name] = number;
  }
  const format = readFormat(value.response_format ?? undefined);
  if (format !== undefined && 'code' in format) return format;
  const stop = typeof value.stop === 'string' ? [value.stop] : (value.stop ?? undefined);
  if (stop !== undefined && !(Array.isArray(stop) && stop.length <= 4 && stop.every(isFilledString))) {
    return invalidType('stop', 'a string, or an array of at most 4 strings');
  }
  const {
    temperature,
    seed,
    top_p: topP,
    presence_penalty: presencePenalty,
    frequency_penalty: frequencyPenalty,
  } = numbers;
  const sampling = Object.fromEntries(
    Object.entries({ topP, seed, stop, presencePenalty, frequencyPenalty }).filter(([, one]) => one !== undefined),
  );
  return {
    ...(format === undefined ? {} : { format }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(Object.keys(sampling).length === 0 ? {} : { sampling }),
    ...(value.logprobs === true ? { logprobs: true } : {}),
  };
}

const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  temperature: [0, 2],
  top_p: [0, 1],
  presence_penalty: [-2, 2],
  frequency_penalty: [-2, 2],
  seed: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

function readFormat(value: unknown): AskedFormat | ChatFault | undefined {
  if (value === undefined) return undefined;
  const at = 'response_format';
  if (!isRecord(value)) return invalidType(at, 'an object');
  if (value.type === 'text') return undefined;
  if (value.type === 'json_object') return { kind: 'json_object' };
  if (value.type !== 'json_schema') {
    const message = `Invalid value for '${at}.type'. Supported values are: 'json_object', 'json_schema', and 'text'.`;
    return { code: 'invalid_value', message, param: `${at}.type` };
  }
  const { json_schema: asked } = value;
  if (!isRecord(asked) || !isFilledString(asked.name) || !isRecord(asked.schema)) {
    return invalidType(`${at}.json_schema`, 'an object with a name and a schema');
  }
  return { kind: 'json_schema', name: asked.name, schema: asked.schema, strict: asked.strict === true };
}

function invalidType(param: string, expected: string): ChatFault {
  return { code: 'invalid_type', message: `Invalid type for '${param}': expected ${expected}.`, param };
}
