import { describe, expect, test } from 'vitest';
import { costPerDocument, pausedMs, projectFromHistory } from '../../src/batches/workflow-history.ts';
import type { BreakerEvent } from '../../src/ledger/breaker-event.ts';

const HISTORY = { configHash: 'h', batches: 2, documents: 10, cost: 5_000, inputTokens: 1_000, seconds: 120 };

const event = (at: number, kind: BreakerEvent['event']): BreakerEvent => ({
  at: new Date(at).toISOString(),
  event: kind,
  reason: '',
});

describe('workflow history', () => {
  test('projects cost and minutes by tokens', () => {
    expect(projectFromHistory(HISTORY, 2_500)).toEqual({ cost: 12_500, minutes: 5 });
    expect(projectFromHistory({ ...HISTORY, inputTokens: 0 }, 2_500)).toBeUndefined();
  });

  test('costPerDocument() is undefined where nothing is known', () => {
    expect(costPerDocument(HISTORY)).toBe(500);
    expect(costPerDocument(undefined)).toBeUndefined();
    expect(costPerDocument({ ...HISTORY, documents: 0 })).toBeUndefined();
  });

  test('pausedMs() adds up pauses inside the batch only, whatever their order and however they overlap', () => {
    const events = [
      event(9_000, 'opened'),
      event(1_000, 'opened'),
      event(3_000, 'closed'),
      event(4_000, 'paused'),
      event(4_500, 'opened'),
      event(5_000, 'closed'),
    ];
    expect(pausedMs(events, 2_000, 10_000)).toBe(1_000 + 1_000 + 1_000);
    expect(pausedMs([], 0, 10)).toBe(0);
    expect(pausedMs(events, 20_000, 30_000)).toBe(10_000);
  });
});
