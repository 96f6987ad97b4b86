import { expect, it } from 'vitest';
import { summarizeQuestion } from '../../src/tasks/summarize/answer.ts';
import type { SummarizeWorkflow } from '../../src/workflows/workflow.ts';

const WORKFLOW: SummarizeWorkflow = {
  name: 'w',
  task: 'summarize',
  cascade: [],
  instructions: 'Prices are in dollars of 2024.',
  checks: { language: true, numbers: true, names: false, preamble: true, forbidden: [] },
  summary: { maxWords: 50 },
};

const judge = (value: object, step: 'map' | 'reduce' = 'map') =>
  summarizeQuestion(WORKFLOW, step, 'They paid twelve dollars.', 'Chapter 7').judge({
    text: JSON.stringify(value),
    finish: 'stop',
  });

it('a summary is checked against its text, what stood before it and the instructions', () => {
  expect(judge({ summary: 'In chapter 7, 12 dollars of 2024.', facts: [] })).toMatchObject({ kind: 'answer' });
  expect(judge({ summary: 'They paid 13 dollars.', facts: [] })).toMatchObject({
    kind: 'rejected',
    code: 'numbers_not_found',
    detail: 'the summary has numbers that the document does not have: 13',
  });
  expect(judge({ summary: 'Here is a summary: they paid.' }, 'reduce')).toMatchObject({ code: 'preamble' });
});

it('facts of a note whose numbers its text does not have are left out', () => {
  expect(judge({ summary: 'They paid.', facts: ['paid 12 dollars', 'paid 99 dollars', 'no number'] })).toMatchObject({
    kind: 'answer',
    value: { facts: ['paid 12 dollars', 'no number'] },
  });
});
