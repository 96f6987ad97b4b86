import { expect, test } from 'vitest';
import { classifyOptions } from '../../../src/tasks/classify/options.ts';

function problemsOf(labels: string[] | Record<string, string>) {
  const problems: string[] = [];
  classifyOptions.resolve({ labels }, { at: 'workflows.w', problems, readText: () => undefined });
  return problems;
}

test.each([
  ['case', 'Bug', 'bug', '"Bug" and "bug"'],
  ['spaces', 'not paid', 'not  paid ', '"not paid" and "not  paid "'],
  ['another space', 'not paid', 'not\u00a0paid', '"not paid" and "not\\u00a0paid"'],
  ['Unicode form', 'caf\u00e9', 'cafe\u0301', 'and "cafe\\u0301"'],
  ['characters that are not seen', 'bug', 'b\u200bug', '"bug" and "b\\u200bug"'],
  ['full width', 'bug', 'ｂｕｇ', '"bug" and "ｂｕｇ"'],
])('labels that differ only in %s are refused with the path and both', (_, first, second, named) => {
  for (const labels of [[first, 'other', second], { [first]: 'one', other: '', [second]: 'two' }]) {
    expect(problemsOf(labels)).toEqual([expect.stringMatching(/^workflows\.w\.labels: .* cannot be told apart/)]);
    expect(problemsOf(labels)[0]).toContain(named);
  }
});

test('labels that differ in letters or in marks that name something are not', () => {
  expect(problemsOf(['c', 'c++', 'c#', 'bug', 'bugs'])).toEqual([]);
});
