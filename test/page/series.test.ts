import { expect, it } from 'vitest';
import { COLOURS, largest } from '../../src/page/parts/series.ts';

it('a plot has the largest series first, and what it has no colour for as one, so that nothing is left out', () => {
  const few = [
    { name: 'small', values: [1, 0] },
    { name: 'large', values: [0, 5] },
  ];
  expect(largest(few).map(({ name }) => name)).toEqual(['large', 'small']);
  const many = Array.from({ length: 9 }, (_, at) => ({ name: `w${at}`, values: [at, 1] }));
  const shown = largest(many);
  expect(shown.map(({ name }) => name)).toEqual(['w8', 'w7', 'w6', 'w5', 'w4', '4 others']);
  expect(shown).toHaveLength(COLOURS);
  expect(shown.at(-1)?.values).toEqual([0 + 1 + 2 + 3, 4]);
});
