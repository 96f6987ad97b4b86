import { parseDuration } from '../text/parse-duration.ts';

export type RateLimitDimension = 'requests' | 'tokens' | 'inputTokens' | 'outputTokens';

/** One limit that a provider's headers tell of. A dimension may come twice: per minute and per day. */
export interface RateLimitState {
  readonly dimension: RateLimitDimension;
  /** At least 1, per minute or (`perDay`) per day; absent where the window is not known, so it compares with no limit. */
  readonly limit?: number;
  /** The limit as it stands in the header where nothing tells its window. */
  readonly untoldLimit?: number;
  readonly remaining?: number;
  /** Milliseconds until the limit is whole again. */
  readonly resetMs?: number;
  /** `true`: per day, or another window much longer than a minute. `false`: per minute. Absent: unknown. */
  readonly perDay?: boolean;
}

type Field = 'limit' | 'remaining' | 'reset';

/** Which limit a header belongs to. `window` is as far as the name tells it. */
interface HeaderMeaning {
  readonly dimension: RateLimitDimension;
  readonly field: Field;
  readonly window: 'minute' | 'day' | 'other' | 'untold' | 'usual';
}

const DIMENSIONS: Readonly<Record<string, RateLimitDimension>> = {
  requests: 'requests',
  req: 'requests', // Mistral
  tokens: 'tokens',
  'input-tokens': 'inputTokens',
  'output-tokens': 'outputTokens',
};

/**
 * The ways to name such a header; `usual` windows are found by `isPerDay`, `untold` ones differ by provider:
 * per second at Together, per minute or day at OpenRouter.
 */
const HEADER_NAMES: readonly {
  readonly pattern: RegExp;
  readonly read: (parts: readonly string[]) => HeaderMeaning;
}[] = [
  {
    pattern: /^anthropic-ratelimit-(requests|tokens|input-tokens|output-tokens)-(limit|remaining|reset)$/,
    read: ([dimension = '', field]) => meaning(dimension, field, 'minute'),
  },
  {
    // OpenAI, Azure, Groq and xAI without a window; Cerebras and Mistral with `-minute`, others with `-per-minute`.
    pattern:
      /^x-ratelimit-(limit|remaining|reset)-(requests|req|tokens|input-tokens|output-tokens)(?:-(?:per-)?(second|minute|hour|day|month))?$/,
    read: ([field, dimension = '', window]) => meaning(dimension, field, windowOf(window, 'usual')),
  },
  {
    // Older Mistral.
    pattern: /^(?:x-)?ratelimitbysize-(limit|remaining|reset)(?:-(minute|day|month))?$/,
    read: ([field, window]) => meaning('tokens', field, windowOf(window, 'untold')),
  },
  {
    pattern: /^x-tokenlimit-(limit|remaining|reset)$/, // Together
    read: ([field]) => meaning('tokens', field, 'other'),
  },
  {
    pattern: /^(?:x-)?ratelimit-(limit|remaining|reset)(?:-after)?$/,
    read: ([field]) => meaning('requests', field, 'untold'),
  },
];

/** A reset later than this is of no window of a minute: 60 seconds, and room for rounding and clocks. */
const LONGEST_MINUTE_MS = 90_000;

/** A limit that fills up from nothing within this is one per minute, measured roughly; a day is 144 times as long. */
const LONGEST_FILL_MS = 600_000;

/** A later reset is a mistake. */
const LONGEST_RESET_MS = 40 * 86_400_000;

/**
 * Reads the limits in response headers (lower-case names) of every provider. Malformed values and limits of 0 count as
 * absent: a header may slow the caller down but not stop it.
 *
 * @param nowMs milliseconds since the epoch, for resets that are points in time; a `date` header wins over it, because
 * the provider's clock is the one that the reset is told by
 */
export function readRateLimits(headers: Readonly<Record<string, string>>, nowMs: number): readonly RateLimitState[] {
  const serverNowMs = Date.parse(headers.date ?? '');
  const clockMs = Number.isNaN(serverNowMs) ? nowMs : serverNowMs;
  const found = new Map<string, Pick<HeaderMeaning, 'dimension' | 'window'> & { [field in Field]?: number }>();
  for (const [name, value] of Object.entries(headers).flatMap(inSeveral)) {
    const header = meaningOf(name);
    if (header === undefined) continue;
    const { dimension, field, window } = header;
    const number = field === 'reset' ? readReset(value, clockMs) : readCount(value);
    if (number === undefined || (field === 'limit' && number === 0)) continue;
    const key = `${dimension} ${window}`;
    found.set(key, { dimension, window, ...found.get(key), [field]: number });
  }
  return [...found.values()].map(({ dimension, window, limit, remaining, reset }) => {
    const perDay = isPerDay(dimension, window, { limit, remaining, reset });
    return {
      dimension,
      ...(limit === undefined || perDay === undefined ? {} : { limit }),
      ...(limit === undefined || !isUntold(window, perDay, reset) ? {} : { untoldLimit: limit }),
      ...(remaining === undefined ? {} : { remaining }),
      ...(reset === undefined ? {} : { resetMs: reset }),
      ...(perDay === undefined ? {} : { perDay }),
    };
  });
}

/**
 * OpenAI, Groq and xAI count requests per minute or per day under one name. A reset tells the window: it says when the
 * limit is whole again, so what is used of it fills up at the rate of the limit (2 of 14,400 in 12 s: a day's). Where
 * that does not tell, the window stays unknown. Their tokens are per minute.
 */
function isPerDay(
  dimension: RateLimitDimension,
  window: HeaderMeaning['window'],
  { limit, remaining, reset }: { readonly [field in Field]: number | undefined },
): boolean | undefined {
  if (window === 'minute') return false;
  if (window === 'day') return true;
  if (window !== 'usual') return undefined;
  if (reset !== undefined && reset > LONGEST_MINUTE_MS) return true;
  if (dimension !== 'requests') return false;
  if (limit === undefined || remaining === undefined || reset === undefined || remaining >= limit) return undefined;
  return (reset * limit) / (limit - remaining) <= LONGEST_FILL_MS ? false : undefined;
}

/** Neither its name nor a reset tells the window, so it may well be that of a minute. */
function isUntold(window: HeaderMeaning['window'], perDay: boolean | undefined, reset: number | undefined): boolean {
  return perDay === undefined && reset === undefined && (window === 'usual' || window === 'untold');
}

const PARAMETERS: Readonly<Record<string, Field>> = {
  limit: 'limit',
  remaining: 'remaining',
  r: 'remaining',
  reset: 'reset',
  t: 'reset',
};

/** `x-rate-limit-…` as `x-ratelimit-…`; the drafts of the IETF have all in one: `limit=10, remaining=0, reset=3`, `"p";r=0;t=3`. */
function inSeveral([name, value]: readonly [string, string]): (readonly [string, string])[] {
  if (name !== 'ratelimit') return [[name.replace(/^(x-)?rate-limit-/, '$1ratelimit-'), value]];
  return [...value.matchAll(/\b(limit|remaining|r|reset|t)\s*=\s*(\d{1,15})/g)].map(([, key = '', number = '']) => [
    `ratelimit-${PARAMETERS[key]}`,
    number,
  ]);
}

function meaningOf(name: string): HeaderMeaning | undefined {
  if (!name.includes('limit')) return undefined;
  for (const { pattern, read } of HEADER_NAMES) {
    const match = pattern.exec(name);
    if (match !== null) return read(match.slice(1));
  }
  return undefined;
}

function meaning(dimension: string, field: string | undefined, window: HeaderMeaning['window']): HeaderMeaning {
  return { dimension: DIMENSIONS[dimension] ?? 'requests', field: field as Field, window };
}

function windowOf(word: string | undefined, without: 'usual' | 'untold'): HeaderMeaning['window'] {
  if (word === undefined) return without;
  return word === 'minute' || word === 'day' ? word : 'other';
}

function readCount(value: string): number | undefined {
  return /^\d{1,15}$/.test(value.trim()) ? Number(value) : undefined;
}

/** A duration (`6m0s`), seconds, seconds or milliseconds since the epoch, or a point in time of RFC 3339. */
function readReset(value: string, nowMs: number): number | undefined {
  const text = value.trim();
  const resetMs = /^\d{4}-\d\d-\d\dT/.test(text)
    ? Date.parse(text) - nowMs
    : /^\d{1,15}(?:\.\d{1,9})?$/.test(text)
      ? millisecondsUntil(Number(text), nowMs)
      : parseDuration(text);
  if (resetMs === undefined || Number.isNaN(resetMs) || resetMs > LONGEST_RESET_MS) return undefined;
  return Math.max(0, Math.ceil(resetMs));
}

function millisecondsUntil(number: number, nowMs: number): number {
  if (number >= 1e12) return number - nowMs;
  return number >= 1e9 ? number * 1000 - nowMs : number * 1000;
}
