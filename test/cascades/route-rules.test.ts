import { expect, test } from 'vitest';
import { ruleFor } from '../../src/cascades/route-rules.ts';
import type { RouteRule } from '../../src/workflows/workflow.ts';

const GERMAN =
  'Die Rechnung vom letzten Monat ist falsch, weil der Betrag doppelt abgebucht wurde. Bitte erstatten Sie mir den zu viel bezahlten Betrag so schnell wie möglich zurück.';

const isFor = (rule: Partial<RouteRule>, text: string, metadata?: Record<string, unknown>) =>
  ruleFor([{ start: 'large', ...rule }], { text, tokens: text.split(' ').length, metadata }) === 0;

test.each([
  [{ tokens: { above: 2 } }, 'one two three', true],
  [{ tokens: { above: 3 } }, 'one two three', false],
  [{ tokens: { above: 1, atMost: 2 } }, 'one two three', false],
  [{ characters: { atMost: 3 } }, 'one', true],
  [{ characters: { atMost: 2 } }, 'one', false],
  [{ has: [{ kind: 'phrase', phrase: 'Refund' }] }, 'a refund, please', true],
  [{ has: [{ kind: 'pattern', pattern: 'INV-\\d{4}', flags: '' }] }, 'about INV-2041', true],
  [{ has: [{ kind: 'pattern', pattern: 'INV-\\d{4}', flags: '' }] }, 'about inv-2041', false],
  [{ languages: ['de'] }, GERMAN, true],
  [{ languages: ['fr', 'en'] }, GERMAN, false],
  [{ languages: ['de'] }, 'zu kurz', false],
] as const)('%j on %j: %s', (rule, text, expected) => {
  expect(isFor(rule as Partial<RouteRule>, text)).toBe(expected);
});

test('metadata is compared as text, and a field that is not there has no value', () => {
  const rule = { metadata: { plan: ['gold', '2'] } };
  expect(isFor(rule, 'x', { plan: 'gold' })).toBe(true);
  expect(isFor(rule, 'x', { plan: 2 })).toBe(true);
  expect(isFor(rule, 'x', { plan: 'silver' })).toBe(false);
  expect(isFor(rule, 'x', { other: 'gold' })).toBe(false);
  expect(isFor({ metadata: { constructor: ['null'] } }, 'x', {})).toBe(false);
  expect(isFor(rule, 'x')).toBe(false);
});

test('all that a rule names must hold, and the first rule that holds decides', () => {
  const both = { tokens: { above: 1 }, metadata: { plan: ['gold'] } };
  expect(isFor(both, 'one two', { plan: 'gold' })).toBe(true);
  expect(isFor(both, 'one', { plan: 'gold' })).toBe(false);
  expect(isFor(both, 'one two', { plan: 'tin' })).toBe(false);
  const rules = [
    { tokens: { above: 5 }, start: 'large' },
    { tokens: { above: 1 }, start: 'middle' },
    { characters: { above: 1 }, start: 'small' },
  ];
  expect(ruleFor(rules, { text: 'one two', tokens: 2 })).toBe(1);
  expect(ruleFor(rules, { text: '', tokens: 0 })).toBe(-1);
});
