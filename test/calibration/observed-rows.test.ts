import { describe, expect, test } from 'vitest';
import { observedRows } from '../../src/calibration/observed-rows.ts';

const small = (label: string, reason: string) => ({
  tier: 0,
  model: 'small',
  label,
  confidence: 0.8,
  reason,
  costUsd: 1,
});
const large = (label: string) => ({ tier: 1, model: 'large', label, reason: 'accepted', costUsd: 9 });
const row = (id: string, ...attempts: object[]) => JSON.stringify({ id, status: 'succeeded', attempts });

describe('observedRows()', () => {
  const rows = observedRows(
    [
      row('accepted', small('a', 'accepted')),
      row('audited', small('a', 'audited'), large('b')),
      row('passed on', small('a', 'low_confidence'), large('a')),
      row('looked at', small('a', 'accepted')),
      JSON.stringify({ id: 'failed', status: 'failed', attempts: [small('a', 'low_confidence')] }),
      JSON.stringify({ id: 'old', status: 'succeeded' }),
      'no JSON',
      '',
    ],
    'large',
    new Map([['looked at', 'b']]),
  );

  test('what was accepted is unknown; audited and passed on documents have both answers, and a person may know more', () => {
    const said = { label: 'a', confidence: 0.8 };
    expect(rows.answers).toEqual([
      { ...said, seen: 'accepted' },
      { ...said, seen: 'audited', isError: true },
      { ...said, seen: 'labelled', isError: false },
      { ...said, seen: 'labelled', isError: true },
    ]);
  });

  test('a document that a tier between has answered says nothing of the first one', () => {
    const middle = { tier: 1, model: 'middle', label: 'b', reason: 'accepted', costUsd: 3 };
    const three = observedRows(
      [row('between', small('a', 'low_confidence'), middle), row('kept', small('a', 'accepted'))],
      'large',
    );
    expect(three.answers).toEqual([{ label: 'a', confidence: 0.8, seen: 'accepted' }]);
    expect(three.ignored).toBe(1);
  });

  test('counts rows that say nothing, and knows what an answer of each tier costs', () => {
    expect(rows.ignored).toBe(3);
    expect(rows.first).toEqual({ model: 'small', cost: 1 });
    expect(rows.last).toEqual({ model: 'large', cost: 9 });
  });
});
