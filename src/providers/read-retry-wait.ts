import { parseDuration } from '../text/parse-duration.ts';
import { parseSpan, waitInText } from '../text/parse-wait.ts';
import type { ErrorBody } from './read-error-body.ts';
import { readRateLimits } from './read-rate-limits.ts';

/** Longest wait taken from a provider: one hour. A longer one is a mistake or a daily quota; ask again. */
export const MAX_RETRY_AFTER_MS = 3_600_000;

/** A longer wait is not for a quota of a minute. */
const LONGEST_MINUTE_MS = 60_000;

/**
 * How long a refusal asks to wait, 0 to `MAX_RETRY_AFTER_MS`, from the first of these that tells it: a header
 * `retry-after` (seconds, a span with its unit, or a point in time) or `retry-after-ms` with or without `x-`, the body's
 * own field, for a 429 the reset of the limits of which nothing is left, the message, and for a limit of a day the longest.
 * Malformed values count as absent.
 */
export function readRetryWait(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: ErrorBody,
  nowMs: number | undefined,
): number | undefined {
  // Measured against the provider's own clock where it tells it, so that a wrong clock here does no harm.
  const serverNowMs = Date.parse(headers.date ?? '');
  const clockMs = Number.isNaN(serverNowMs) ? nowMs : serverNowMs;
  const waitMs =
    readRetryAfter(headers, clockMs) ??
    readRetryDelay(body) ??
    readExhausted(status, headers, nowMs) ??
    readMessage(status, body.message, clockMs) ??
    (status === 429 && /\b(?:per[ -]day|daily)\b/i.test(body.message) ? MAX_RETRY_AFTER_MS : undefined);
  return waitMs === undefined ? undefined : Math.min(Math.max(Math.ceil(waitMs), 0), MAX_RETRY_AFTER_MS);
}

const MILLISECOND_HEADERS = ['retry-after-ms', 'x-ms-retry-after-ms', 'x-retry-after-ms'] as const;
const HEADERS = ['retry-after', 'x-retry-after', 'retry-after-seconds'] as const;

function readRetryAfter(headers: Readonly<Record<string, string>>, clockMs: number | undefined): number | undefined {
  for (const name of MILLISECOND_HEADERS) {
    const milliseconds = readDecimal(headers[name]);
    if (milliseconds !== undefined) return milliseconds;
  }
  const value = HEADERS.map((name) => headers[name]).find((each) => each !== undefined && each.trim() !== '');
  if (value === undefined) return undefined;
  // Given twice it comes as "5, 5", and the longer one counts; a date has a comma of its own.
  const found = value
    .split(/,(?!\s*\d{1,2}[ -][a-z]{3})/i)
    .map((each) => readWait(each, clockMs))
    .filter((each) => each !== undefined);
  return found.length === 0 ? undefined : Math.max(...found);
}

function readWait(value: string, clockMs: number | undefined): number | undefined {
  const text = value.replace(/;.*$/, '').replace(/^[\s"']+|[\s"']+$/g, '');
  const number = readDecimal(text);
  if (number === undefined) return parseSpan(text) ?? readTime(Date.parse(text), clockMs);
  // So many seconds are a point in time.
  if (number >= 1e12) return readTime(number, clockMs);
  return number >= 1e9 ? readTime(number * 1000, clockMs) : number * 1000;
}

function readTime(time: number, clockMs: number | undefined): number | undefined {
  return Number.isNaN(time) || clockMs === undefined ? undefined : time - clockMs;
}

/** Other statuses seldom ask to wait, and may quote the document: no sentence of theirs holds it up for long. */
const WAITING_STATUS: ReadonlySet<number> = new Set([429, 503, 529]);

function readMessage(status: number, message: string, clockMs: number | undefined): number | undefined {
  const waitMs = waitInText(message, clockMs);
  return waitMs !== undefined && (WAITING_STATUS.has(status) || waitMs <= LONGEST_MINUTE_MS) ? waitMs : undefined;
}

/** Gemini's delay for a used-up day may be that of a minute's quota (`22s`), after which the day is not over. */
function readRetryDelay({ retryDelay, quotaIds }: ErrorBody): number | undefined {
  const delayMs = retryDelay === undefined ? undefined : parseDuration(retryDelay);
  if (!quotaIds.some((quotaId) => quotaId.includes('PerDay'))) return delayMs;
  return delayMs !== undefined && delayMs > LONGEST_MINUTE_MS ? delayMs : MAX_RETRY_AFTER_MS;
}

function readExhausted(
  status: number,
  headers: Readonly<Record<string, string>>,
  nowMs: number | undefined,
): number | undefined {
  if (status !== 429) return undefined;
  const resets = readRateLimits(headers, nowMs ?? Number.NaN)
    .filter(({ remaining }) => remaining === 0)
    .map(({ resetMs }) => resetMs)
    .filter((resetMs) => resetMs !== undefined);
  return resets.length === 0 ? undefined : Math.max(...resets);
}

function readDecimal(value: string | undefined): number | undefined {
  return value !== undefined && /^\d+(?:\.\d+)?$/.test(value.trim()) ? Number(value) : undefined;
}
