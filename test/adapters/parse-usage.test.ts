import { describe, expect, test } from 'vitest';
import { parseUsage } from '../../src/adapters/openai-compatible/parse-usage.ts';

describe('parseUsage()', () => {
  const base = { prompt_tokens: 20, completion_tokens: 7 };

  test.each([
    ['missing details', base, [20, 0, 7, 0]],
    ['null details', { ...base, prompt_tokens_details: null, completion_tokens_details: null }, [20, 0, 7, 0]],
    ["DeepSeek's cache field", { ...base, prompt_cache_hit_tokens: 8 }, [20, 8, 7, 0]],
    ["Moonshot's cache field", { ...base, cached_tokens: 9 }, [20, 9, 7, 0]],
    ['no output', { prompt_tokens: 20, completion_tokens: 0 }, [20, 0, 0, 0]],
    [
      'reasoning outside of the completion (xAI, Gemini)',
      { ...base, total_tokens: 127, completion_tokens_details: { reasoning_tokens: 100 } },
      [20, 0, 107, 100],
    ],
    ['a total that is too small', { ...base, total_tokens: 5 }, [20, 0, 7, 0]],
  ] as const)(
    'parseUsage() reads %s',
    (_name, raw, [inputTokens, cachedInputTokens, outputTokens, reasoningTokens]) => {
      expect(parseUsage(raw)).toEqual({ inputTokens, cachedInputTokens, outputTokens, reasoningTokens });
    },
  );

  test.each([
    undefined,
    null,
    'many',
    {},
    { prompt_tokens: 20 },
    { ...base, prompt_tokens: '20' },
    { ...base, prompt_tokens: -1 },
    { ...base, completion_tokens: 1.5 },
    { ...base, completion_tokens: 2 ** 60 },
    { ...base, total_tokens: 'x' },
    { ...base, prompt_tokens: 0 },
    { ...base, prompt_tokens_details: { cached_tokens: -1 } },
    { ...base, prompt_tokens_details: { cached_tokens: 21 } },
    { ...base, completion_tokens_details: { reasoning_tokens: '3' } },
  ])('parseUsage() refuses %j', (raw) => {
    expect(parseUsage(raw)).toBeUndefined();
  });
});
