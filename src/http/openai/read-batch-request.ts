import { isRecord } from '../../text/json-value.ts';
import { invalidType, invalidValue, missingParameter, OpenAiError, outOfRange } from './openai-error.ts';

/** What a batch is asked for with, checked. */
export interface BatchRequest {
  readonly inputFileId: string;
  readonly endpoint: string;
  readonly completionWindow: string;
  readonly windowMs: number;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly outputSeconds?: number;
  readonly idempotencyKey?: string;
}

const ENDPOINTS: readonly string[] = ['/v1/chat/completions', '/chat/completions'];
const UNIT_MS = { h: 3_600_000, m: 60_000 } as const;
const MAX_PAIRS = 16;
const MAX_KEY_UNITS = 64;
const MAX_VALUE_UNITS = 512;
const EXPIRY_SECONDS = [3_600, 2_592_000] as const;

/** @throws {OpenAiError} 400, as OpenAI says it */
export function readBatchRequest(body: unknown): BatchRequest {
  const given = isRecord(body) ? body : {};
  for (const name of ['input_file_id', 'endpoint', 'completion_window']) {
    if (given[name] === undefined || given[name] === null) throw missingParameter(name);
    if (typeof given[name] !== 'string') throw invalidType(name, given[name], 'a string');
  }
  const { input_file_id, endpoint, completion_window, idempotency_key: key } = given;
  if (!ENDPOINTS.includes(endpoint as string)) throw invalidValue('endpoint', endpoint, `'${ENDPOINTS[0]}'`);
  if (key !== undefined && typeof key !== 'string') throw invalidType('idempotency_key', key, 'a string');
  const outputSeconds = readExpiresAfter('output_expires_after', given.output_expires_after);
  return {
    inputFileId: input_file_id as string,
    endpoint: endpoint as string,
    completionWindow: completion_window as string,
    windowMs: readWindow(completion_window as string),
    metadata: readMetadata(given.metadata),
    ...(outputSeconds === undefined ? {} : { outputSeconds }),
    ...(key === undefined ? {} : { idempotencyKey: key }),
  };
}

/** OpenAI has `24h` alone; any number of hours or minutes is ours. */
function readWindow(text: string): number {
  const [, amount = '0', unit = 'h'] = /^(\d{1,6})([hm])$/.exec(text) ?? [];
  const ms = Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS];
  if (ms > 0) return ms;
  throw invalidValue('completion_window', text, "'24h', and other hours or minutes such as '48h' and '90m'");
}

function readMetadata(value: unknown): Readonly<Record<string, string>> | null {
  if (value === undefined || value === null) return null;
  if (!isRecord(value)) throw invalidType('metadata', value, 'an object');
  const pairs = Object.entries(value);
  if (pairs.length > MAX_PAIRS) {
    throw new OpenAiError(
      400,
      `Invalid 'metadata': too many properties. Expected an object with at most ${MAX_PAIRS} properties, but got an object with ${pairs.length} properties instead.`,
      { param: 'metadata', code: 'object_above_max_properties' },
    );
  }
  for (const [key, text] of pairs) {
    if (key.length > MAX_KEY_UNITS) throw tooLong('metadata', MAX_KEY_UNITS, key.length);
    if (typeof text !== 'string') throw invalidType(`metadata.${key}`, text, 'a string');
    if (text.length > MAX_VALUE_UNITS) throw tooLong(`metadata.${key}`, MAX_VALUE_UNITS, text.length);
  }
  return value as Readonly<Record<string, string>>;
}

function tooLong(param: string, most: number, length: number): OpenAiError {
  return new OpenAiError(
    400,
    `Invalid '${param}': string too long. Expected a string with maximum length ${most}, but got a string with length ${length} instead.`,
    { param, code: 'string_above_max_length' },
  );
}

/**
 * `{anchor: "created_at", seconds}`, in JSON or as the fields of a form, where numbers are text.
 *
 * @returns seconds; undefined: nothing was asked for
 */
export function readExpiresAfter(name: string, value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isRecord(value)) throw invalidType(name, value, 'an object');
  const { anchor } = value;
  const seconds = typeof value.seconds === 'string' && value.seconds !== '' ? Number(value.seconds) : value.seconds;
  if (anchor === undefined) throw missingParameter(`${name}.anchor`);
  if (anchor !== 'created_at') throw invalidValue(`${name}.anchor`, anchor, "'created_at'");
  if (seconds === undefined) throw missingParameter(`${name}.seconds`);
  return wholeNumber(`${name}.seconds`, seconds, EXPIRY_SECONDS);
}

/** How many a list shows. */
export function readLimit(value: unknown, most: number, byDefault: number): number {
  if (value === undefined || value === '') return byDefault;
  return wholeNumber('limit', typeof value === 'string' ? Number(value) : value, [1, most]);
}

function wholeNumber(param: string, value: unknown, range: readonly [number, number]): number {
  if (!Number.isInteger(value)) throw invalidType(param, Number.isNaN(value) ? 'text' : value, 'an integer');
  const number = value as number;
  if (number < range[0] || number > range[1]) throw outOfRange(param, number, range);
  return number;
}
