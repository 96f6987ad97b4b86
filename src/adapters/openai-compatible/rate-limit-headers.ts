/** The headers that tell limits, what is left of them and how long to wait, under whatever prefix a provider uses. */
export function keepRateLimitHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (
      value !== undefined &&
      (name.includes('ratelimit') || name.includes('rate-limit') || name.includes('retry-after'))
    ) {
      kept[name] = value;
    }
  }
  return kept;
}
