import { describe, expect, test } from 'vitest';
import { parseScope, periodOf, scopesOf } from '../../src/ledger/scope.ts';

describe('parseScope()', () => {
  test.each([
    ['batch:a.b-1', { kind: 'batch', name: 'a.b-1', window: 'batch' }],
    ['workflow:triage/day', { kind: 'workflow', name: 'triage', window: 'day' }],
    ['workflow:triage/month', { kind: 'workflow', name: 'triage', window: 'month' }],
    ['tenant:acme/day', { kind: 'tenant', name: 'acme', window: 'day' }],
    ['global/month', { kind: 'global', name: '', window: 'month' }],
    ['tenant:acme/month', undefined],
    ['batch:', undefined],
    ['workflow:a/b/day', undefined],
    ['global', undefined],
  ])('%s', (name, parts) => {
    expect(parseScope(name)).toEqual(parts);
  });

  test('reads every scope of a call, and its window gives the period', () => {
    const now = Date.parse('2026-03-31T23:30:00Z');
    const timezones = { workflow: 'Europe/Berlin', global: 'UTC' };
    for (const { name, period } of scopesOf({ batchId: 'b', workflow: 'w', tenant: 't' }, now, timezones)) {
      const parts = parseScope(name);
      const timezone = parts?.kind === 'workflow' ? timezones.workflow : timezones.global;
      expect(periodOf(parts?.window ?? 'batch', now, timezone)).toBe(period);
    }
  });
});
