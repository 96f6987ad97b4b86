import { describe, expect, it } from 'vitest';
import { formatRow } from '../../src/tasks/result-row.ts';

const usage = { inputTokens: 4, cachedInputTokens: 3, outputTokens: 2, reasoningTokens: 1 };

describe('formatRow()', () => {
  it('writes a result in the documented order, with plain dollars', () => {
    const line = formatRow({
      metadata: { b: 1, a: 2 },
      durationMs: 5,
      cost: 15,
      usage,
      calls: 2,
      tier: 1,
      model: 'small',
      result: { label: 'bug', confidence: 0.5 },
      status: 'succeeded',
      id: 'ü "1"',
    });
    expect(line).toBe(
      '{"id":"ü \\"1\\"","status":"succeeded","result":{"label":"bug","confidence":0.5},"model":"small","tier":1,' +
        '"calls":2,"usage":{"inputTokens":4,"cachedInputTokens":3,"outputTokens":2,"reasoningTokens":1},' +
        '"costUsd":0.000000015,"durationMs":5,"metadata":{"b":1,"a":2}}',
    );
  });

  it('leaves out metadata that there is not', () => {
    const row = { id: 'a', model: 'm', tier: 0, calls: 1, usage, cost: 0, durationMs: 0 };
    const line = formatRow({ ...row, status: 'succeeded', result: { summary: 's', kind: 'extract' } });
    expect(line).toMatch(/"result":\{"summary":"s","kind":"extract"\}/);
    expect(line).toMatch(/"costUsd":0,"durationMs":0\}$/);
  });

  it.each(['failed', 'cancelled', 'expired', 'skipped'] as const)('writes a %s document as an error row', (status) => {
    const error = { code: 'x', message: 'two\nlines' };
    expect(formatRow({ id: 'a', status, error, calls: 0, usage, cost: 1_500_000_000 })).toBe(
      `{"id":"a","status":"${status}","error":{"code":"x","message":"two\\nlines"},"calls":0,` +
        '"usage":{"inputTokens":4,"cachedInputTokens":3,"outputTokens":2,"reasoningTokens":1},"costUsd":1.5}',
    );
  });
});
