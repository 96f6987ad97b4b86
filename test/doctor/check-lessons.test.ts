import { expect, test } from 'vitest';
import { checkLessons } from '../../src/doctor/check-lessons.ts';

test('doctor says how each model of the config is asked that has refused what the config says', () => {
  const learned = new Map([
    ['small-1', { maxTokensField: 'max_completion_tokens', logprobs: false }],
    ['gone-1', { temperature: false }],
    ['large-1', { structuredOutput: 'json_object' }],
  ] as const);
  expect(checkLessons('acme', learned, new Set(['small-1', 'large-1']))).toEqual([
    {
      name: 'provider acme',
      state: 'ok',
      detail:
        'large-1 is asked with json_object in place of json_schema since it refused the rest (known to all workers for 30 days; where all its models are so, say it in providers.acme: { structuredOutput: json_object })',
    },
    {
      name: 'provider acme',
      state: 'ok',
      detail:
        'small-1 is asked with max_completion_tokens in place of max_tokens, no logprobs since it refused the rest (known to all workers for 30 days; where all its models are so, say it in providers.acme: { maxTokensField: max_completion_tokens, logprobs: false })',
    },
  ]);
});
