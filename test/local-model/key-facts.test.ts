import { expect, test } from 'vitest';
import { extractSentences } from '../../src/local-model/extract-sentences.ts';
import { countKeyFacts, isForActing } from '../../src/local-model/key-facts.ts';

test.each([
  ['Who takes over the shift?', 1],
  ['The move is on 4 July.', 1],
  ['It ends on 2026-03-02.', 1],
  ['Our customer needs it before Monday.', 1],
  ['The rent is 8,400 EUR a month.', 1],
  ['About 3 % of the orders were lost.', 1],
  ['The committee approved the plan.', 1],
  ['Please send the seating plan to Kim.', 1],
  ['We agreed to pay $310 by Friday.', 3],
  ['The weather was discussed at some length.', 0],
  ['It may rain in 3 places.', 0],
])('%j has %i kinds of facts', (sentence, count) => {
  expect(countKeyFacts(sentence)).toBe(count);
});

test('mails, minutes and READMEs are for acting, a news story is not', () => {
  expect(isForActing('Hi Tom,\n\nIt rains.')).toBe(true);
  expect(isForActing('Minutes of the council\nIt rained.')).toBe(true);
  expect(isForActing('# fastqueue\nA queue.')).toBe(true);
  expect(isForActing('The council approved a plan on Monday.\nIt costs $48 million.')).toBe(false);
});

const SENTENCES = [
  'Our accounting department has looked into the matter together with the whole sales team in Hamburg.',
  'The invoice was created with the wrong cost centre because of a migration of the accounting software.',
  'The total is now $1,240.50.',
  'Could you please confirm it by Friday?',
  'The migration will be described in the next newsletter for all customers of the whole region.',
];

test('the extract of a mail keeps questions, dates and amounts; the same sentences in a story are ranked as before', () => {
  const facts = /\$1,240\.50.*by Friday\?/;
  expect(extractSentences(`Hello Anna,\n\n${SENTENCES.join(' ')}`, { maxWords: 30 }).text).toMatch(facts);
  expect(extractSentences(SENTENCES.join(' '), { maxWords: 30 }).text).not.toMatch(facts);
});
