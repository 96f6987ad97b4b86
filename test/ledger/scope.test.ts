import { describe, expect, it } from 'vitest';
import { batchScope, scopesOf } from '../../src/ledger/scope.ts';

const NOW = Date.parse('2026-01-31T23:30:00Z');

describe('scopesOf()', () => {
  it('names every documented scope, the batch first, each period in its own time zone', () => {
    const owner = { batchId: 'b', workflow: 'w', tenant: 't' };
    expect(scopesOf(owner, NOW, { workflow: 'Europe/Berlin', global: 'UTC' })).toEqual([
      { name: 'batch:b', period: '' },
      { name: 'workflow:w/day', period: '2026-02-01' },
      { name: 'workflow:w/month', period: '2026-02' },
      { name: 'global/day', period: '2026-01-31' },
      { name: 'global/month', period: '2026-01' },
      { name: 'tenant:t/day', period: '2026-01-31' },
    ]);
  });

  it('has no tenant scope without a tenant', () => {
    const names = scopesOf({ batchId: 'b', workflow: 'w' }, NOW, { workflow: 'UTC', global: 'UTC' });
    expect(names.some(({ name }) => name.startsWith('tenant:'))).toBe(false);
    expect(names[0]).toEqual(batchScope('b'));
  });
});
