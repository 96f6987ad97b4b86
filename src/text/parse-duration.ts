const UNIT_MS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};

/**
 * Milliseconds of a duration as Go and protocol buffers write it: `6m0s`, `120ms`, `1h2m3.5s`. Undefined for anything
 * else; a number alone has no unit.
 */
export function parseDuration(text: string): number | undefined {
  // Longer ones are no durations, and this bounds the work on hostile text.
  if (text.length > 40 || !/^(?:\d+(?:\.\d+)?(?:h|ms|m|s|us|µs|ns))+$/.test(text)) return undefined;
  let milliseconds = 0;
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)/g)) {
    milliseconds += Number(count) * (UNIT_MS[unit ?? ''] ?? 0);
  }
  return milliseconds;
}
