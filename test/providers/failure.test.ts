import { expect, test } from 'vitest';
import { FAILURE_RULES, ModelCallError } from '../../src/providers/failure.ts';

test('FAILURE_RULES pauses the provider only for what a person has to fix, and never retries that', () => {
  const pausing = Object.entries(FAILURE_RULES).filter(([, rule]) => rule.pausesProvider);
  expect(pausing.map(([name]) => name).sort()).toEqual(['authentication', 'out_of_credit']);
  for (const [, rule] of pausing) expect(rule.retry).toBe('never');
});

test('FAILURE_RULES never retries what would fail again, nor what the caller gave up', () => {
  const final = Object.entries(FAILURE_RULES).filter(([, rule]) => rule.retry === 'never');
  expect(final.map(([name]) => name).sort()).toEqual([
    'aborted',
    'authentication',
    'bad_request',
    'context_overflow',
    'out_of_credit',
    'refused_content',
  ]);
});

test('ModelCallError keeps its details and its cause', () => {
  const cause = new Error('inner');
  const error = new ModelCallError('outer', { failure: 'timeout', billing: 'unknown', cause, retryAfterMs: 5 });
  expect(error).toMatchObject({ name: 'ModelCallError', message: 'outer', failure: 'timeout', billing: 'unknown' });
  expect(error.cause).toBe(cause);
  expect(error.retryAfterMs).toBe(5);
  expect(error.rateLimitHeaders).toEqual({});
});
