import { expect, test } from 'vitest';
import { uncertainBooks } from '../../../src/operations/recovery/uncertain-books.ts';

const call = (nano: number) => JSON.stringify({ nano, model: 'small', slice: 1, reason: 'timeout' });

test.each([
  { name: 'nothing between the two reads', total: 30, lost: 0, uncertain: 30 },
  { name: 'a call that was booked between the two reads', total: 42, lost: 0, uncertain: 42 },
  { name: 'a call that was settled between the two reads', total: 10, lost: 0, uncertain: 30 },
  { name: 'lost replies', total: 42, lost: 5, uncertain: 47 },
])('uncertainBooks() lists what it counts: $name', ({ total, lost, uncertain }) => {
  const books = uncertainBooks({ a: call(10), b: call(20) }, total, lost);
  const listed = Object.values(books.uncertainCalls).map((json) => (JSON.parse(json) as { nano: number }).nano);
  expect(books.uncertain).toBe(uncertain);
  expect(listed.reduce((sum, nano) => sum + nano, 0)).toBe(uncertain);
});

test('uncertainBooks() keeps what an earlier recovery has listed', () => {
  const first = uncertainBooks({ a: call(10) }, 10, 5);
  const second = uncertainBooks(first.uncertainCalls, first.uncertain, 7);
  expect(second.uncertain).toBe(22);
  expect(Object.values(second.uncertainCalls).map((json) => (JSON.parse(json) as { nano: number }).nano)).toEqual([
    10, 12,
  ]);
});
