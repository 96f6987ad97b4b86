import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { priceCall } from '../../src/money/price.ts';
import { countRequestTokens, holdFor, inputTokenBound } from '../../src/requests/estimate.ts';
import type { ModelRequest } from '../../src/requests/model-request.ts';
import type { ModelSpec } from '../../src/workflows/workflow.ts';
import { anyCharacter } from '../helpers/any-character.ts';

const price = { inputPerMillion: 150_000_000, cachedInputPerMillion: 75_000_000, outputPerMillion: 600_000_000 };
const MODEL: ModelSpec = {
  name: 'small',
  provider: 'acme',
  pool: 'acme',
  id: 'small-2026-01-01',
  contextTokens: 32_768,
  maxOutputTokens: 1024,
  price,
  structuredOutput: 'json_schema',
  logprobs: false,
};

function requestOf(text: string): ModelRequest {
  return {
    modelId: 'small-2026-01-01',
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: text },
    ],
    maxOutputTokens: 50,
    responseFormat: { kind: 'json_schema', name: 'x', schema: { type: 'object' } },
  };
}

describe('inputTokenBound()', () => {
  it('is never under the count of a real tokenizer, whatever the text', () => {
    const text = fc.string({ unit: anyCharacter, maxLength: 400 });
    fc.assert(
      fc.property(text, (content) => {
        const request = requestOf(content.toWellFormed());
        expect(inputTokenBound(request)).toBeGreaterThanOrEqual(countRequestTokens(request));
      }),
    );
  });

  it('counts bytes, so that text without Latin letters is covered too', () => {
    expect(inputTokenBound(requestOf('漢'.repeat(100))) - inputTokenBound(requestOf(''))).toBe(300);
  });
});

describe('holdFor()', () => {
  it('covers every call within its bounds', () => {
    const tokens = fc.integer({ min: 0, max: 2_000_000 });
    fc.assert(
      fc.property(tokens, tokens, fc.double({ min: 0, max: 1, noNaN: true }), (input, output, share) => {
        const usage = {
          inputTokens: Math.floor(input * share),
          cachedInputTokens: Math.floor(input * share * share),
          outputTokens: Math.floor(output * share),
          reasoningTokens: 0,
        };
        expect(priceCall(price, usage)).toBeLessThanOrEqual(holdFor(MODEL, input, output));
      }),
    );
  });

  it('is nothing for a model without a price', () => {
    const { price: _, ...unpriced } = MODEL;
    expect(holdFor(unpriced, 1000, 1000)).toBe(0);
  });
});
