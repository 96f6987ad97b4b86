import { describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/finalize/manifest.ts';
import { NO_USAGE } from '../../src/money/usage.ts';
import { cacheAdvice } from '../../src/reports/cache-advice.ts';

const PRICE = { inputPerMillion: 1_000_000_000, cachedInputPerMillion: 100_000_000, outputPerMillion: 4_000_000_000 };

/** 1,000 calls of 2,000 input tokens, three quarters of them the same instructions. */
function night(cachedInputTokens: number, more: Partial<Manifest> = {}, price = PRICE): Manifest {
  return {
    workflow: 'triage',
    instructionsShare: 0.75,
    cascade: [{ tier: 0, model: 'small', provider: 'acme', id: 'small-1', price }],
    models: [
      {
        ...{ model: 'small', tier: 0, provider: 'acme', calls: 1_000, accepted: 1_000, cost: 2_000_000_000 },
        usage: { ...NO_USAGE, inputTokens: 2_000_000, cachedInputTokens },
      },
    ],
    ...more,
  } as unknown as Manifest;
}

describe('cacheAdvice()', () => {
  it('says what a missed discount would have saved over several nights', () => {
    const [advice, ...others] = cacheAdvice([night(0), night(300_000)]);
    expect(others).toEqual([]);
    // 2.7 of 3 million repeated tokens at $0.90 less a million.
    expect(advice).toMatchObject({ workflow: 'triage', kind: 'cache', saves: 2_430_000_000 });
    expect(advice?.message).toContain(
      'provider acme was missed for small: each of 2,000 calls repeats about 1,500 tokens',
    );
    expect(advice?.message).toContain('10 % of them');
    expect(advice?.commands.at(-1)).toBe('nightmill compare before after');
  });

  it('says nothing where most was cached, nothing is cheaper, instructions are short or not known, or calls are few', () => {
    expect(cacheAdvice([night(1_200_000)])).toEqual([]);
    expect(cacheAdvice([night(0, {}, { ...PRICE, cachedInputPerMillion: PRICE.inputPerMillion })])).toEqual([]);
    expect(cacheAdvice([night(0, { instructionsShare: 0.4 })])).toEqual([]);
    const { instructionsShare: _, ...unknown } = night(0);
    expect(cacheAdvice([unknown as Manifest])).toEqual([]);
    const few = night(0).models.map((model) => ({ ...model, calls: 99 }));
    expect(cacheAdvice([night(0, { models: few })])).toEqual([]);
  });
});
