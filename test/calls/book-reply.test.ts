import { describe, expect, it } from 'vitest';
import { bookReply } from '../../src/calls/book-reply.ts';
import type { TokenPrice } from '../../src/money/price.ts';
import { isSameModel } from '../../src/providers/same-model.ts';
import type { ModelSpec } from '../../src/workflows/workflow.ts';

const priced = (dollars: number): TokenPrice => ({
  inputPerMillion: dollars * 1e9,
  cachedInputPerMillion: dollars * 1e9,
  outputPerMillion: dollars * 1e9,
});
const MODEL: ModelSpec = {
  name: 'small',
  provider: 'acme',
  id: 'small-2026-01-01',
  contextTokens: 32_768,
  maxOutputTokens: 1024,
  structuredOutput: 'prompt',
  logprobs: false,
  price: priced(1),
};
const request = {
  modelId: MODEL.id,
  messages: [{ role: 'user', content: 'x'.repeat(300) }],
  maxOutputTokens: 64,
} as const;
const CALL = {
  model: MODEL,
  request,
  hold: 777_777,
  inputBound: 400,
  priceOf: (_: string, id: string) => (id === 'dear-1' ? priced(5) : undefined),
};
const usage = (inputTokens: number, outputTokens = 10) => ({
  inputTokens,
  outputTokens,
  cachedInputTokens: 0,
  reasoningTokens: 0,
});

describe('a usage that cannot be is booked at the hold and marked', () => {
  it.each([
    ['3,000,000,000 tokens for 300 bytes', { usage: usage(3_000_000_000) }],
    ['a reply longer than the window', { usage: usage(100, 5_000_000) }],
    ['a negative count', { rawUsage: { prompt_tokens: -5, completion_tokens: 3 } }],
    ['a text', { rawUsage: { prompt_tokens: '100', completion_tokens: 3 } }],
    ['a fraction', { rawUsage: { input_tokens: 1.5, output_tokens: 3 } }],
    ['more than a number holds', { rawUsage: { promptTokenCount: 1e300 } }],
  ])('%s', (_, reply) => {
    const booked = bookReply(CALL, { text: 'ok', ...reply });
    expect(booked).toMatchObject({ cost: CALL.hold, usageEstimated: true, warnings: ['usage_impossible'] });
    expect(booked.usage.inputTokens).toBeLessThan(1_000);
  });

  it.each([
    ['a usage beyond the cap', { usage: usage(100, 3_000) }, 3_100_000, ['output_over_cap']],
    ['a prompt that the provider adds to', { usage: usage(5_000) }, 5_010_000, []],
  ])('not %s', (_, reply, cost, warnings) => {
    expect(bookReply(CALL, { text: 'ok', ...reply })).toEqual({ usage: reply.usage, cost, warnings });
  });

  it('and one that is not told is counted', () => {
    const booked = bookReply(CALL, { text: 'ok', rawUsage: null });
    expect(booked).toMatchObject({ usageEstimated: true, warnings: [] });
    expect(booked.cost).toBeLessThan(CALL.hold);
  });
});

describe('another model than was asked', () => {
  const reply = { text: 'ok', usage: usage(100) };

  it('is named and booked at its own price where that is known', () => {
    expect(bookReply(CALL, { ...reply, model: 'dear-1' })).toEqual({
      usage: reply.usage,
      cost: 550_000,
      servedBy: 'dear-1',
      warnings: [],
    });
  });

  it('is named, booked at the price of the one that was asked, and warned of where it is not', () => {
    expect(bookReply(CALL, { ...reply, model: 'other' })).toMatchObject({
      cost: 110_000,
      servedBy: 'other',
      warnings: ['model_price_unknown'],
    });
    const { price: _, ...free } = MODEL;
    expect(bookReply({ ...CALL, model: free }, { ...reply, model: 'other' })).toMatchObject({ cost: 0, warnings: [] });
  });

  it.each([
    ['gpt-4o-mini', 'gpt-4o-mini-2024-07-18', true],
    ['gpt-4o-mini-2024-07-18', 'gpt-4o-mini', true],
    ['gpt-4o-2024-05-13', 'gpt-4o-2024-11-20', false],
    ['gpt-4o', 'gpt-4o-mini', false],
    ['claude-sonnet-5-20260101', 'claude-sonnet-5', true],
    ['claude-opus-5', 'claude-sonnet-5', false],
    ['openai/gpt-4o-mini', 'gpt-4o-mini', true],
    ['gpt-4o-mini', 'azure/GPT-4o-mini', true],
    ['gemini-2.5-flash', 'models/gemini-2.5-flash-001', true],
    ['llama3', 'llama3:latest', true],
    ['llama3:8b', 'llama3:70b', false],
    ['qwen/qwen3:free', 'qwen/qwen3', true],
    ['q.gguf', '/models/q.gguf', true],
  ])('%s answered by %s is the same: %s', (asked, answered, same) => {
    expect(isSameModel(asked, answered)).toBe(same);
  });
});

describe('what the provider states that a call has cost', () => {
  const told = { text: 'ok', usage: usage(300, 10), statedCost: 123_456 };

  it('is booked where the config says so, and the call is marked', () => {
    const model = { ...MODEL, price: { ...priced(1), isStated: true } };
    expect(bookReply({ ...CALL, model }, told)).toMatchObject({ cost: 123_456, isStated: true });
    const { statedCost: _, ...untold } = told;
    const booked = bookReply({ ...CALL, model }, untold);
    expect(booked).toMatchObject({ cost: 310_000 });
    expect(booked.isStated).toBeUndefined();
  });

  it('is only compared where it does not', () => {
    expect(bookReply(CALL, told)).toMatchObject({
      cost: 310_000,
      compared: { stated: 123_456, reckoned: 310_000 },
    });
  });
});
