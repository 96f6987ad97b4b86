import { parseDuration } from './parse-duration.ts';

/** Longer texts are no waits, and this bounds the work on hostile ones. */
const MAX_CHARACTERS = 200;

const UNITS: readonly (readonly [RegExp, milliseconds: number])[] = [
  [/^(?:ms|milli)/i, 1],
  [/^(?:s|秒|초)/i, 1000],
  [/^(?:m|分|분)/i, 60_000],
  [/^(?:h|stunde|小时|時間|시간)/i, 3_600_000],
];
const UNIT_NAMES =
  'ms|milliseconds?|millis|seconds?|secs?|sekunden?|segundos?|secondes?|s|minutes?|minuten?|minutos?|mins?|m|hours?|hrs?|h|stunden?|秒|分钟|分|小时|時間|초|분|시간';
/** `1 minute and 30 seconds`, `1h2m3.5s`, `3秒`. */
const SPAN = `\\d{1,12}(?:\\.\\d{1,9})?\\s*(?:${UNIT_NAMES})(?![a-z])(?:(?:,|\\s|and|und)*\\d{1,12}(?:\\.\\d{1,9})?\\s*(?:${UNIT_NAMES})(?![a-z]))*`;
/** Go writes its parts without a space, so that a letter may follow a digit and a digit a letter. */
const COMPACT = '(?:\\d{1,12}(?:\\.\\d{1,9})?(?:h|ms|m|s)){1,4}(?![a-z\\d])';

const WHOLE = new RegExp(`^(?:${COMPACT}|${SPAN})$`, 'i');
const IN_TEXT = new RegExp(
  `(?:again|retry\\w*|wait\\w*|available|resets?|allowed)\\b[^\\d.;]{0,25}?(?<!-)(${COMPACT}|${SPAN})|(?:in|在|nach)\\s*(${SPAN})\\s*(?:erneut|后|後|later)`,
  'i',
);
const NUMBER_IN_TEXT = /retry[-_ ]?after\W{1,3}(\d{1,9}(?:\.\d{1,9})?)(?![\d.]*\s*[a-z])/i;
const TIME_IN_TEXT =
  /(?:again|retry|resets?|available|until)\b[^\d]{0,20}(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?)\s*(Z|UTC|[+-]\d\d:?\d\d)?/i;

/** Milliseconds of a span of time in words or as ISO 8601, Go or a clock writes it; undefined for a number alone. */
export function parseSpan(text: string): number | undefined {
  if (text.length > MAX_CHARACTERS) return undefined;
  const [, hours, minutes, seconds] =
    /^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?$/i.exec(text) ??
    /^(\d{1,3}):(\d\d):(\d\d(?:\.\d+)?)$/.exec(text) ??
    [];
  if (hours !== undefined || minutes !== undefined || seconds !== undefined) {
    return (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000 + Number(seconds ?? 0) * 1000;
  }
  return parseDuration(text) ?? (WHOLE.test(text) ? sumOf(text) : undefined);
}

/**
 * How long a sentence asks to wait, in milliseconds: "Please try again in 1m30.5s", "Expected available in 3 seconds",
 * "retry_after=3", "resets at 2026-03-05T09:00:03Z". Undefined where it names no wait.
 *
 * @param nowMs for a point in time
 */
export function waitInText(text: string, nowMs: number | undefined): number | undefined {
  const start = text.slice(0, 2_000);
  const found = IN_TEXT.exec(start);
  const span = found?.[1] ?? found?.[2];
  if (span !== undefined) return parseDuration(span) ?? sumOf(span);
  const seconds = NUMBER_IN_TEXT.exec(start)?.[1];
  if (seconds !== undefined) return Number(seconds) * 1000;
  const [, time, zone = 'Z'] = TIME_IN_TEXT.exec(start) ?? [];
  if (time === undefined || nowMs === undefined) return undefined;
  const waitMs = Date.parse(`${time.replace(' ', 'T')}${zone === 'UTC' ? 'Z' : zone}`) - nowMs;
  return Number.isNaN(waitMs) ? undefined : waitMs;
}

function sumOf(span: string): number {
  let total = 0;
  for (const [, amount = '0', unit = ''] of span.matchAll(/(\d+(?:\.\d+)?)\s*([^\d\s,.]+)/g)) {
    total += Number(amount) * (UNITS.find(([name]) => name.test(unit))?.[1] ?? 0);
  }
  return total;
}
