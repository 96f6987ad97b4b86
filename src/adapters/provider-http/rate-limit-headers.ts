/** Parts of the names under which providers tell limits, what is left of them and how long to wait. */
const NAME_PARTS = ['ratelimit', 'rate-limit', 'tokenlimit', 'retry-after'];

/** The headers that tell about limits, as they came. */
export function keepRateLimitHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined && NAME_PARTS.some((part) => name.includes(part))) kept[name] = value;
  }
  return kept;
}
