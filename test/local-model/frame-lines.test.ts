import { expect, test } from 'vitest';
import { extractSentences } from '../../src/local-model/extract-sentences.ts';
import { frameLines } from '../../src/local-model/frame-lines.ts';

test.each([
  'Hi Tom,',
  'Dear Ms. Okafor and team,',
  'Good morning!',
  'Kind regards,',
  'Thanks in advance!',
  'Hope you are well.',
  'Home | Docs | Contact us',
  'Start › Products › Pumps',
  'On Tue, 3 Mar 2026 at 10:12, Ann Lee wrote:',
])('%s says nothing of its own', (line) => {
  expect([...frameLines([line])]).toEqual([0]);
});

test.each([
  'Hi Tom, can you pay by Friday?',
  'Thanks to the new pump the cellar stayed dry.',
  'Dear prices keep customers away from the shop in winter.',
  'Best results come from fresh flour.',
  'From: a distance it looks small.',
  'We need pumps | pipes',
  'Thanks for 3 crates',
])('%s stays', (line) => {
  expect([...frameLines(['Before.', line, 'After.'])]).toEqual([]);
});

test('an extract of a mail keeps its question, date and amount and leaves out its frame', () => {
  const mail = `From: Ann Lee <ann@mill.example>
To: Tom Park <tom@mill.example>
Subject: Order of pumps
Date: Tue, 3 Mar 2026 10:12:00 +0000

Hi Tom,

Hope you are well.

The supplier wants 4,200 euros for the two pumps before 12 March. We agreed to pay half now.
Can you approve the order today?

Home | Orders | Contact

Kind regards,
`;
  expect(extractSentences(mail, { maxWords: 60 })).toEqual({
    text:
      'The supplier wants 4,200 euros for the two pumps before 12 March. We agreed to pay half now. ' +
      'Can you approve the order today?',
    isWhole: true,
  });
});
