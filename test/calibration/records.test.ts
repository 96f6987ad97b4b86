import { describe, expect, test } from 'vitest';
import { tableOf } from '../../src/calibration/record-table.ts';
import { meanCosts, readRecords } from '../../src/calibration/records.ts';

const LINE = {
  small: { prediction: 1, correct: false, confidence: 1, logprob: -0.0001, cost_usd: 0.1 },
  large: { prediction: 2, correct: true, confidence: null, cost_usd: 0.5 },
};

const text = (...lines: object[]) => lines.map((models) => JSON.stringify({ id: 1, models })).join('\n');

function read(...lines: object[]) {
  const reading = readRecords(text(...lines));
  if (reading.kind === 'bad') throw new Error(reading.problem);
  return reading.records;
}

describe('readRecords()', () => {
  test('reads predictions as text, missing confidences as unknown, and the logarithm where one is recorded', () => {
    const [row] = read(LINE).answers;
    expect(row?.[0]).toEqual({ prediction: '1', correct: false, confidence: Math.exp(-0.0001), cost: 0.1 });
    expect(row?.[1]).toEqual({ prediction: '2', correct: true, confidence: undefined, cost: 0.5 });
  });

  test.each([
    ['{', 'is no JSON object'],
    ['{"models":{"a":{"correct":true},"b":{}}}', 'no answer of "b"'],
    ['{"models":{"a":{"correct":true}}}', 'two models'],
  ])('names the line of %s', (line, problem) => {
    expect(readRecords(line)).toMatchObject({ kind: 'bad', line: 1, problem: expect.stringContaining(problem) });
  });

  test('without recorded dollars the last model costs 4.9 times the first', () => {
    const free = { small: { correct: true }, large: { correct: true } };
    expect(meanCosts(read(free))).toEqual([1, 4.9]);
  });
});

describe('tableOf()', () => {
  test('agreement is with the dearest model, accuracy with the truth', () => {
    const records = read({ small: { ...LINE.small, prediction: 2 }, large: { ...LINE.large, correct: false } });
    expect([...tableOf(records, 'agreement').right[0]!]).toEqual([1]);
    expect([...tableOf(records, 'accuracy').right[1]!]).toEqual([0]);
  });
});
