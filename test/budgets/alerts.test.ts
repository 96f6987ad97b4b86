import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AlertLevel,
  alertKey,
  type BatchSpending,
  decideAlerts,
  projectBatch,
  type ScopeSpending,
} from '../../src/budgets/alerts.ts';
import { NANO_PER_USD } from '../../src/money/money.ts';

const DAY = { name: 'workflow:triage/day', period: '2026-03-01' };
const LIMIT = 10 * NANO_PER_USD;

function scope(shareSpent: number, more: Partial<ScopeSpending> = {}): ScopeSpending {
  return { scope: DAY, spent: Math.round(LIMIT * shareSpent), limit: LIMIT, reached: false, ...more };
}

function batch(more: Partial<BatchSpending> = {}): BatchSpending {
  return { batchId: 'b1', workflow: 'triage', documents: 1_000, done: 100, spent: 100_000, ...more };
}

function levels(scopes: readonly ScopeSpending[], fired: ReadonlySet<string> = new Set()): AlertLevel[] {
  return decideAlerts({ scopes, batches: [] }, fired).map((alert) => alert.level);
}

describe('decideAlerts() on shares of a limit', () => {
  test.each([
    [0, []],
    [0.4999, []],
    [0.5, ['50%']],
    [0.7999, ['50%']],
    [0.8, ['80%']],
    [0.9999, ['80%']],
    [1, ['100%']],
  ] as const)('says of %d of a limit: %j', (share, expected) => {
    expect(levels([scope(share)])).toEqual(expected);
  });

  test('says that a limit is reached when a call was refused, though a little of it is left', () => {
    expect(levels([scope(0.985, { reached: true })])).toEqual(['100%']);
  });

  test('says nothing without a limit, and nothing of a limit of zero that nothing was asked of', () => {
    const { limit: _, ...unlimited } = scope(5);
    expect(levels([unlimited, scope(0, { limit: 0, spent: 0 })])).toEqual([]);
  });

  test('names the scope, the period, the amounts and the command that raises the limit', () => {
    const [alert] = decideAlerts({ scopes: [scope(1)], batches: [] }, new Set());
    expect(alert).toMatchObject({ scope: DAY.name, period: DAY.period, spent: LIMIT, limit: LIMIT });
    expect(alert?.message).toBe(
      'workflow:triage/day (2026-03-01): $10.00 of the limit $10.00 are spent: the limit is reached and the work that ' +
        'it covers pauses. Raise it: nightmill budget set workflow:triage/day USD',
    );
  });

  test('fires each level once, in rising order, however spending continues', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3_000_000_000 }), { maxLength: 60 }), (steps) => {
        const fired = new Set<string>();
        const said: AlertLevel[] = [];
        let spent = 0;
        for (const step of steps) {
          spent = Math.min(LIMIT, spent + step);
          const alerts = decideAlerts({ scopes: [scope(0, { spent })], batches: [] }, fired);
          for (const alert of alerts) {
            expect(fired.has(alertKey(alert))).toBe(false);
            fired.add(alertKey(alert));
            said.push(alert.level);
          }
        }
        const order = ['50%', '80%', '100%'];
        expect(said).toEqual([...new Set(said)].sort((a, b) => order.indexOf(a) - order.indexOf(b)));
        const highest = spent >= LIMIT ? '100%' : spent >= LIMIT * 0.8 ? '80%' : spent >= LIMIT / 2 ? '50%' : undefined;
        expect(said.at(-1)).toBe(highest);
      }),
    );
  });

  test('fires again in a new period and for a limit that was changed', () => {
    const fired = new Set(decideAlerts({ scopes: [scope(0.8)], batches: [] }, new Set()).map(alertKey));
    expect(levels([scope(0.8)], fired)).toEqual([]);
    expect(levels([scope(0.8, { scope: { ...DAY, period: '2026-03-02' } })], fired)).toEqual(['80%']);
    expect(levels([scope(0.8, { limit: 2 * LIMIT, spent: 1.7 * LIMIT })], fired)).toEqual(['80%']);
  });
});

describe('decideAlerts() on the projection', () => {
  test.each([
    [1.2, []],
    [1.2001, ['projection']],
  ] as const)('says of a projection of %d limits: %j', (share, expected) => {
    expect(levels([scope(0.1, { projected: LIMIT * share })])).toEqual(expected);
  });

  test('says nothing once the limit is reached: that is said already', () => {
    expect(levels([scope(1, { projected: 2 * LIMIT }), scope(0.99, { projected: 2 * LIMIT, reached: true })])).toEqual([
      '100%',
      '100%',
    ]);
  });

  test('names how far it is above the limit', () => {
    const [alert] = decideAlerts({ scopes: [scope(0.1, { projected: LIMIT * 1.5 })], batches: [] }, new Set());
    expect(alert?.message).toContain('$15.00, 50 % above the limit $10.00; $1.00 are spent so far');
  });
});

describe('decideAlerts() on drift', () => {
  const due = (spending: BatchSpending) => decideAlerts({ scopes: [], batches: [spending] }, new Set());

  test.each([
    [0.49, 1],
    [0.5, 0],
    [1, 0],
    [1.5, 0],
    [1.51, 1],
  ])('says at %d times the usual cost of a document: %d alerts', (ratio, alerts) => {
    expect(due(batch({ documents: 500, spent: 100_000 * ratio, usualPerDocument: 1_000 }))).toHaveLength(alerts);
  });

  test('says nothing without history, without a usual cost and before enough documents are done', () => {
    expect(due(batch({ spent: 900_000 }))).toEqual([]);
    expect(due(batch({ spent: 900_000, usualPerDocument: 0 }))).toEqual([]);
    expect(due(batch({ spent: 900_000, usualPerDocument: 1, done: 19, documents: 100 }))).toEqual([]);
    expect(due(batch({ spent: 900_000, usualPerDocument: 1, done: 199, documents: 1_000 }))).toEqual([]);
    expect(due(batch({ spent: 900_000, usualPerDocument: 1, done: 200, documents: 1_000 }))).toHaveLength(1);
  });

  test('names the batch, the ratio and the workflow', () => {
    const [alert] = due(batch({ documents: 500, spent: 30_000_000, usualPerDocument: 100_000 }));
    expect(alert).toMatchObject({ scope: 'batch:b1', level: 'drift', perDocument: 300_000, usualPerDocument: 100_000 });
    expect(alert?.message).toBe(
      'batch:b1 costs $0.00030 a document, 3.0 times what workflow triage usually does ($0.00010); 100 of 500 documents are done.',
    );
  });
});

describe('projectBatch()', () => {
  test('continues at the present rate, once enough is done', () => {
    expect(projectBatch(batch())).toBe(1_000_000);
    expect(projectBatch(batch({ done: 49 }))).toBeUndefined();
    expect(projectBatch(batch({ documents: 0, done: 0, spent: 0 }))).toBeUndefined();
  });
});
