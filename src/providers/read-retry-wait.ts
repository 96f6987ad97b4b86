import { parseDuration } from '../text/parse-duration.ts';
import type { ErrorBody } from './read-error-body.ts';
import { readRateLimits } from './read-rate-limits.ts';

/** Longest wait taken from a provider: one hour. A longer one is a mistake or a daily quota; ask again. */
export const MAX_RETRY_AFTER_MS = 3_600_000;

/** A longer wait is not for a quota of a minute. */
const LONGEST_MINUTE_MS = 60_000;

/**
 * How long a refusal asks to wait, 0 to `MAX_RETRY_AFTER_MS`, from the first of these that tells it: `retry-after-ms`,
 * `retry-after` (seconds, decimals allowed, or a date), the body's `retryDelay`, and for a 429 the reset of the limits
 * of which nothing is left. Malformed values count as absent.
 */
export function readRetryWait(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: ErrorBody,
  nowMs: number | undefined,
): number | undefined {
  const waitMs =
    readRetryAfter(headers, nowMs) ??
    readRetryDelay(body) ??
    readExhausted(status, headers, nowMs) ??
    readWaitInText(status, body.message);
  return waitMs === undefined ? undefined : Math.min(Math.max(Math.ceil(waitMs), 0), MAX_RETRY_AFTER_MS);
}

function readRetryAfter(headers: Readonly<Record<string, string>>, nowMs: number | undefined): number | undefined {
  const milliseconds = readDecimal(headers['retry-after-ms']) ?? readDecimal(headers['x-ms-retry-after-ms']);
  if (milliseconds !== undefined) return milliseconds;
  // Given twice it comes as "5, 5": the longer one counts.
  const values = (headers['retry-after'] ?? '').split(/,\s*(?=\d+(?:\.\d+)?\s*$|\d+(?:\.\d+)?,)/);
  const seconds = values.map(readDecimal).filter((each) => each !== undefined);
  if (seconds.length > 0) return Math.max(...seconds) * 1000;
  const value = headers['retry-after'];
  if (value === undefined || value.trim() === '') return undefined;
  const duration = parseDuration(value.trim());
  if (duration !== undefined) return duration;
  // Measured against the provider's own clock where it tells it, so that a wrong clock here does no harm.
  const serverNowMs = Date.parse(headers.date ?? '');
  const waitMs = Date.parse(value) - (Number.isNaN(serverNowMs) ? (nowMs ?? Number.NaN) : serverNowMs);
  return Number.isNaN(waitMs) ? undefined : waitMs;
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

/** "Please try again in 1m30.5s", "retry after 20 seconds", "try again in 200ms". */
function readWaitInText(status: number, message: string): number | undefined {
  if (status !== 429 && status !== 503) return undefined;
  const found =
    /(?:try again|retry|wait)(?:ing)?\s+(?:in|after|for)\s+((?:\d+(?:\.\d+)?\s*(?:ms|milliseconds?|h(?:ours?)?|m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?)\s*)+)/i.exec(
      message,
    )?.[1];
  if (found === undefined) return undefined;
  let total = 0;
  for (const [, amount = '0', unit = ''] of found.matchAll(/(\d+(?:\.\d+)?)\s*(ms|milli|h|m|s)/gi)) {
    const name = unit.toLowerCase();
    total +=
      Number(amount) *
      (name.startsWith('mi') || name === 'ms' ? 1 : name === 'h' ? 3_600_000 : name === 'm' ? 60_000 : 1_000);
  }
  return total;
}

function readDecimal(value: string | undefined): number | undefined {
  return value !== undefined && /^\d+(?:\.\d+)?$/.test(value.trim()) ? Number(value) : undefined;
}
