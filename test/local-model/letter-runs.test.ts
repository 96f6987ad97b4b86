import { expect, test } from 'vitest';
import { letterIndex } from '../../src/local-model/letter-runs.ts';

const similarities = letterIndex(['Where is my refund?', 'the match was a draw', '', 'refund']);

test('a text is wholly like itself, whatever its case and punctuation, and unlike one with no run in common', () => {
  expect(similarities('where is MY refund')[0]).toBeCloseTo(1);
  expect(similarities('zzzz')[0]).toBe(0);
});

test('another form of a word is near it', () => {
  const [asked = 0, match = 0] = similarities('refunded');
  expect(asked).toBeGreaterThan(0.05);
  expect(match).toBe(0);
});

test('runs that no text of the index has make a text less like all of them', () => {
  expect(similarities('refund xylophone')[3]).toBeLessThan((similarities('refund')[3] ?? 0) - 0.3);
});

test('an empty text is like nothing, also where it is in the index', () => {
  expect([...similarities('')].every((value) => value >= 0 && value <= 1)).toBe(true);
  expect(similarities('refund')[2]).toBe(0);
});
