import { expect, it } from 'vitest';
import { describeSubmitted } from '../../src/cli/commands/run.ts';

const documents = { total: 3, done: 3, succeeded: 1, failed: 0, cancelled: 2, expired: 0, skipped: 0 };

it.each([
  ['paused', 'are paused: resuming'],
  ['completed', 'were done before, so nothing is done again'],
  ['cancelled', 'are cancelled, so nothing more is asked (nightmill retry b asks the rest'],
  ['expired', 'are expired, so nothing more is asked'],
] as const)('what was submitted before and is %s', (state, said) => {
  expect(describeSubmitted('joined', { batchId: 'b', documents, state })).toContain(said);
});
