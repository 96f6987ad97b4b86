import { describe, expect, it } from 'vitest';
import { outputLine, type StoredRow } from '../../../src/http/openai/output-lines.ts';
import { NO_USAGE } from '../../../src/money/usage.ts';

const context = { batchId: 'batch_1', model: 'triage', createdAt: 7 };

function failed(status: 'failed' | 'expired' | 'cancelled', code: string): StoredRow {
  return { id: 'a', status, error: { code, message: 'why' }, calls: 0, usage: NO_USAGE, costUsd: 0 };
}

function lineOf(row: StoredRow) {
  return JSON.parse(outputLine(row, context));
}

describe('outputLine()', () => {
  it("gives an answer in the provider's shape, its cost as a plain decimal, the same each time", () => {
    const row: StoredRow = {
      id: 'a',
      status: 'succeeded',
      result: { label: 'bug', confidence: 0.9 },
      model: 'small',
      tier: 0,
      calls: 2,
      usage: { inputTokens: 20, cachedInputTokens: 5, outputTokens: 9, reasoningTokens: 4 },
      costUsd: 1.5e-8,
      durationMs: 3,
      warnings: ['prompt_cut'],
    };
    const text = outputLine(row, context);
    expect(text).toContain('"costUsd":0.000000015');
    expect(outputLine(row, context)).toBe(text);
    const { response } = JSON.parse(text);
    expect(JSON.parse(response.body.choices[0].message.content)).toEqual({ label: 'bug', confidence: 0.9 });
    expect(response.body).toMatchObject({
      created: 7,
      model: 'triage',
      usage: {
        prompt_tokens: 20,
        completion_tokens: 9,
        total_tokens: 29,
        prompt_tokens_details: { cached_tokens: 5 },
        completion_tokens_details: { reasoning_tokens: 4 },
      },
      nightmill: { model: 'small', tier: 0, calls: 2, warnings: ['prompt_cut'] },
    });
    expect(JSON.parse(outputLine(row, { ...context, batchId: 'batch_2' })).id).not.toBe(JSON.parse(text).id);
  });

  it("tells a request's own failure from the provider's, and both from what was never done", () => {
    expect(lineOf(failed('failed', 'refused'))).toMatchObject({
      custom_id: 'a',
      error: null,
      response: { status_code: 400, body: { error: { message: 'why', code: 'refused', param: null } } },
    });
    expect(lineOf(failed('failed', 'timeout'))).toMatchObject({
      response: { status_code: 500, body: { error: { type: 'server_error' } } },
    });
    expect(lineOf(failed('expired', 'expired'))).toMatchObject({ response: null, error: { code: 'batch_expired' } });
    expect(lineOf(failed('cancelled', 'cancelled'))).toMatchObject({
      response: null,
      error: { code: 'batch_cancelled' },
    });
  });
});
