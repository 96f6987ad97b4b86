import { expect, test } from 'vitest';
import { checkExamples } from '../../src/doctor/check-examples.ts';
import type { ModelSpec } from '../../src/workflows/workflow.ts';

const cascadeOf = (name: string) => [{ model: { name } as ModelSpec }];

test.each([
  ['local', 7, /7 examples are not used.*8 or more.*add 1 or more/],
  ['local', 8, undefined],
  ['local', 0, undefined],
  ['small', 6, undefined],
])('a cascade of %s with %i examples', (model, count, detail) => {
  const checks = checkExamples('triage', { cascade: cascadeOf(model), examples: Array.from({ length: count }) });
  const expected = { name: 'workflow triage', state: 'warning', detail: expect.stringMatching(detail ?? /^$/) };
  expect(checks).toEqual(detail === undefined ? [] : [expected]);
});
