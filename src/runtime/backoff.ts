const BASE_MS = 250;
const MAX_MS = 10_000;

/**
 * Exponential backoff with full jitter: 0 to 250 ms, 0.5 s, 1 s, … at most 10 s, and never under a quarter of that.
 * Full jitter spreads callers that failed together (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015).
 *
 * @param attempt 1 for the first retry
 */
export function backoffMs(attempt: number, random: () => number): number {
  const most = Math.min(MAX_MS, BASE_MS * 2 ** (attempt - 1));
  return most * (0.25 + 0.75 * random());
}
