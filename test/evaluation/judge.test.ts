import { describe, expect, test } from 'vitest';
import { countVerdicts, judgeRequests } from '../../src/evaluation/judge.ts';

const pair = (id: string, after = 'new') => ({ id, text: `Text ${id}`, before: 'old', after });
const both = (id: string, forward: string, backward: string): [string, string][] => [
  [`forward:${id}`, forward],
  [`backward:${id}`, backward],
];

describe('judgeRequests()', () => {
  test('asks each pair in both orders, with document and summaries fenced, and equal ones not at all', () => {
    const requests = judgeRequests([pair('a'), pair('b', 'old')]) as { id: string; messages: { content: string }[] }[];
    expect(requests.map(({ id }) => id)).toEqual(['forward:a', 'backward:a']);
    const orders = requests.map(({ messages }) => messages[1]?.content.match(/\bold\b|\bnew\b/g));
    expect(orders).toEqual([
      ['old', 'new'],
      ['new', 'old'],
    ]);
    expect(requests[0]?.messages[1]?.content.match(/<document-/g)).toHaveLength(3);
  });
});

describe('countVerdicts()', () => {
  test('only verdicts that survive the swap count; what turns with the order is the judge’s swap rate', () => {
    const pairs = ['a', 'b', 'c', 'd', 'e'].map((id) => pair(id));
    const replies = new Map([
      ...both('a', '2', ' 1.'),
      ...both('b', '1', '2'),
      ...both('c', '1', '1'),
      ...both('d', '0', '0'),
      ...both('e', '1 or 2', '2'),
    ]);
    expect(countVerdicts([...pairs, pair('f', 'old')], replies)).toEqual({
      documents: 6,
      better: 1,
      worse: 1,
      equal: 3,
      swapRate: 1 / 5,
      unread: 1,
      pValue: 0.75,
    });
  });

  test('many worse ones are no chance', () => {
    const pairs = Array.from({ length: 20 }, (_, at) => pair(`${at}`));
    const replies = new Map(pairs.flatMap(({ id }) => both(id, '1', '2')));
    expect(countVerdicts(pairs, replies)).toMatchObject({
      worse: 20,
      swapRate: 0,
      pValue: expect.closeTo(2 ** -20, 9),
    });
    expect(countVerdicts([], new Map())).toMatchObject({ documents: 0, pValue: 1, swapRate: 0 });
  });
});
