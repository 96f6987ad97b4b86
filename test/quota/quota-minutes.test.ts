import { describe, expect, it } from 'vitest';
import { quotaMinutes } from '../../src/quota/quota-minutes.ts';

const ASKED = { calls: 600, inputTokens: 90_000, outputTokens: 10_000 };

describe('quotaMinutes()', () => {
  it.each([
    [{}, 0],
    [{ requestsPerMinute: 60 }, 10],
    [{ tokensPerMinute: 10_000 }, 10],
    [{ inputTokensPerMinute: 10_000 }, 9],
    [{ outputTokensPerMinute: 500 }, 20],
    [{ concurrency: 1 }, 0],
    // The first day's are there at once; the rest waits for the next days.
    [{ requestsPerDay: 600 }, 0],
    [{ requestsPerDay: 599 }, 1440],
    [{ tokensPerDay: 25_000 }, 3 * 1440],
    [{ requestsPerMinute: 60, outputTokensPerMinute: 5000, tokensPerMinute: 50_000 }, 10],
  ])('under %j takes %d minutes', (limits, minutes) => {
    expect(quotaMinutes(ASKED, limits)).toBe(minutes);
  });
});
