import { isFilledString, isRecord, parseJson } from '../text/json-value.ts';

const MAX_MESSAGE_LENGTH = 10_000;

/** What an error's body says, whatever its shape. */
export interface ErrorBody {
  /** The provider's own words for the cause, the most exact first: codes, types, statuses, reasons. */
  readonly codes: readonly string[];
  /** The provider's message, or the body as it came where it has none; at most 10,000 characters. */
  readonly message: string;
  /** How long the body's own field asks to wait, with a unit: `31s`. */
  readonly retryDelay?: string;
  /** Gemini's names of the quotas that are used up: `GenerateRequestsPerDayPerProjectPerModel-FreeTier`. */
  readonly quotaIds: readonly string[];
}

/**
 * Reads the shapes in use: `{error: {message, type, code}}` (OpenAI and most), `{error: {type, message, details:
 * {error_code}}}` (Anthropic), `{error: {code, status, message, details: [{@type, …}]}}` (Gemini, sometimes in an
 * array), `{error: "text"}` (Ollama), `{message, type, code}` (Mistral, older vLLM), `{detail}` (FastAPI), and
 * `{error: {metadata: {raw}}}` (OpenRouter, where `raw` is what its upstream said).
 */
export function readErrorBody(bodyText: string): ErrorBody {
  const parsed = parseJson(bodyText);
  const root = asRecord(Array.isArray(parsed) ? parsed[0] : parsed);
  if (root === undefined) return { codes: [], message: bodyText.slice(0, MAX_MESSAGE_LENGTH), quotaIds: [] };
  const error = errorIn(root);
  const innerCode =
    asRecord(error.innererror)?.code ?? asRecord(asRecord(error.provider_specific_fields)?.innererror)?.code;
  const texts = [root.error, ...TEXT_FIELDS.map((field) => error[field]), ...detailTexts(error), upstreamText(error)];
  const said = texts.filter(isFilledString).join(' ');
  const details = (Array.isArray(error.details) ? error.details : []).map(asRecord).filter((d) => d !== undefined);
  const retryDelay = waitIn([...details, error, asRecord(error.metadata), asRecord(error.parameters), root]);
  const reasons = details.map((detail) => detail.reason);
  const violations = details.flatMap((detail) => (Array.isArray(detail.violations) ? detail.violations : []));
  return {
    // Gemini repeats the HTTP status as its code and says more in its status.
    codes: [
      asRecord(error.details)?.error_code,
      ...reasons,
      error.status,
      error.code,
      error.type,
      innerCode,
      ...CODE_FIELDS.map((f) => error[f]),
    ]
      .map(codeText)
      .filter(isFilledString),
    message: (said === '' ? bodyText : said).slice(0, MAX_MESSAGE_LENGTH),
    ...(retryDelay === undefined ? {} : { retryDelay }),
    quotaIds: violations.map((violation) => asRecord(violation)?.quotaId).filter(isFilledString),
  };
}

const WAIT_FIELDS: Readonly<Record<string, 's' | 'ms'>> = {
  retry_after: 's',
  retryAfter: 's',
  retry_after_seconds: 's',
  retryAfterSeconds: 's',
  retry_in: 's',
  wait_seconds: 's',
  retry_after_ms: 'ms',
  retryAfterMs: 'ms',
};

/** Gemini's `retryDelay` (`31s`, or in parts), and the fields of others: numbers, or texts with or without a unit. */
function waitIn(places: readonly (Readonly<Record<string, unknown>> | undefined)[]): string | undefined {
  for (const place of places) {
    if (place === undefined) continue;
    const { retryDelay } = place;
    if (isFilledString(retryDelay)) return retryDelay;
    if (isRecord(retryDelay) && retryDelay.seconds !== undefined) return `${String(retryDelay.seconds)}s`;
    for (const [field, unit] of Object.entries(WAIT_FIELDS)) {
      const value = place[field];
      if (typeof value === 'number' && value >= 0) return `${value}${unit}`;
      if (isFilledString(value)) return /^\d+(?:\.\d+)?$/.test(value) ? `${value}${unit}` : value;
    }
  }
  return undefined;
}

const TEXT_FIELDS = [
  'message',
  'Message',
  'msg',
  'error_msg',
  'status_msg',
  'error_description',
  'faultstring',
  'title',
  'detail',
];
const CODE_FIELDS = ['error_code', 'status_code', '__type'];

/** Where a body has its error, if not at its root. */
function errorIn(root: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const [first] = Array.isArray(root.errors) ? root.errors : [];
  return asRecord(root.error) ?? asRecord(root.base_resp) ?? asRecord(root.fault) ?? asRecord(first) ?? root;
}

/** What OpenRouter's upstream said: a text, or JSON in it. */
function upstreamText({ metadata }: Readonly<Record<string, unknown>>): unknown {
  const raw = asRecord(metadata)?.raw;
  return isFilledString(raw) && asRecord(parseJson(raw)) !== undefined ? readErrorBody(raw).message : raw;
}

/** FastAPI's `detail` is a text, an object, or a list of what is wrong with each field, whose name stands beside it. */
function detailTexts({ detail }: Readonly<Record<string, unknown>>): unknown[] {
  const details: readonly unknown[] = Array.isArray(detail) ? detail : [detail];
  return details.flatMap((each) => {
    const { message, msg, loc } = asRecord(each) ?? {};
    const place = Array.isArray(loc) ? loc.filter((name) => name !== 'body').join('.') : '';
    return [message, place !== '' && isFilledString(msg) ? `${place}: ${msg}` : msg];
  });
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return isRecord(value) ? value : undefined;
}

function codeText(value: unknown): unknown {
  return typeof value === 'number' ? String(value) : value;
}
