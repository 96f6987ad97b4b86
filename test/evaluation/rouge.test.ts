import { expect, test } from 'vitest';
import { rouge } from '../../src/evaluation/rouge.ts';
import { splitSentences } from '../../src/local-model/split-sentences.ts';

test('rouge() gives the F1 values that were worked out by hand', () => {
  const scores = rouge('The cat sat.', 'The cats were sitting on the mat.', splitSentences);
  // 2 of 3 and 7 words shared (the, cat); 1 of 2 and 6 pairs; the same two words in order.
  expect(scores.rouge1).toBeCloseTo(4 / 10, 6);
  expect(scores.rouge2).toBeCloseTo(2 / 8, 6);
  expect(scores.rougeL).toBeCloseTo(4 / 10, 6);
  expect(scores.rougeLsum).toBeCloseTo(4 / 10, 6);
});

test('rouge() of a text with itself is 1, of texts without common words 0', () => {
  const same = rouge('One thing. And another.', 'One thing. And another.', splitSentences);
  expect(same).toEqual({ rouge1: 1, rouge2: 1, rougeL: 1, rougeLsum: 1 });
  expect(rouge('Apples.', 'Bridges.', splitSentences)).toEqual({ rouge1: 0, rouge2: 0, rougeL: 0, rougeLsum: 0 });
});
