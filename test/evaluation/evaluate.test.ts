import { describe, expect, test } from 'vitest';
import { calibrationOf, evaluate, macroF1 } from '../../src/evaluation/evaluate.ts';
import type { Answered, DocumentScores, Golden } from '../../src/evaluation/evaluation.ts';
import { fieldScores } from '../../src/evaluation/field-scores.ts';
import { htmlReport } from '../../src/evaluation/html-report.ts';
import { promptfooOutput } from '../../src/evaluation/promptfoo.ts';
import { readGolden } from '../../src/evaluation/read-golden.ts';

const OF = {
  run: 'r1',
  workflow: 'triage',
  evaluatedAt: '2026-01-01T00:00:00Z',
  hashes: {},
  sentences: (text: string) => [text],
};

function run(golden: readonly Golden[], answers: readonly Partial<Answered>[]) {
  const rows = answers.map(
    (answer): Answered => ({ id: '', status: 'succeeded', costUsd: 0.5, durationMs: 10, ...answer }),
  );
  return evaluate(golden, new Map(rows.map((row) => [row.id, row])), OF);
}

describe('evaluate()', () => {
  const labels = run(
    [
      { id: '1', label: 'a' },
      { id: '2', label: 'a' },
      { id: '3', label: 'b' },
      { id: '4', label: 'b' },
    ],
    [
      { id: '1', label: 'a', confidence: 0.9 },
      { id: '2', label: 'b', confidence: 0.6 },
      { id: '3', label: 'b', confidence: 0.8 },
      { id: '4', status: 'failed', errorCode: 'refused' },
    ],
  );

  test('scores labels; a failed document is wrong and shown as such', () => {
    // F1 of a: 2/3; of b: 2*1 / (2*1 + 1 missed + 1 wrongly given)
    expect(labels.metrics).toMatchObject({ accuracy: 0.5, validity: 0.75, refusals: 0.25 });
    expect(labels.metrics['macroF1']).toBeCloseTo((2 / 3 + 1 / 2) / 2, 10);
    expect(labels.confusion).toEqual({ a: { a: 1, b: 1 }, b: { b: 1, '(none)': 1 } });
    expect(labels.costUsd).toBe(2);
    expect(labels.latencyMs).toEqual({ median: 10, p95: 10 });
  });

  test('Brier score is the mean squared distance of confidence and truth', () => {
    expect(labels.calibration?.brier).toBeCloseTo((0.1 ** 2 + 0.6 ** 2 + 0.2 ** 2) / 3, 10);
  });

  test('calibration error has bins of equal size', () => {
    const items = Array.from({ length: 100 }, (_, index): DocumentScores => {
      const right = index % 2;
      return { id: `${index}`, valid: 1, scores: { accuracy: right }, confidence: 0.9, costUsd: 0 };
    });
    const found = calibrationOf(items);
    expect(found?.bins.map(({ count }) => count)).toEqual(Array(10).fill(10));
    expect(found?.error).toBeCloseTo(0.4, 10);
    expect(calibrationOf([])).toBeUndefined();
  });

  test('scores summaries: words shared, length, what must and must not be there', () => {
    const { metrics } = run(
      [
        { id: '1', summary: 'the cat sat', mustHave: ['CAT', 'dog'], mustNotHave: ['as an ai'] },
        { id: '2', summary: 'no answer', mustHave: ['x'], mustNotHave: ['y'] },
      ],
      [{ id: '1', summary: 'The cat sat. As an AI I add nothing' }],
    );
    expect(metrics).toMatchObject({ coverage: 0.25, clean: 0, validity: 0.5 });
    expect(metrics['rouge1']).toBeCloseTo((2 * 3) / (9 + 3) / 2, 10);
  });

  test('a label that was never expected counts in macro-F1', () => {
    expect(macroF1([{ expected: 'a', got: 'c' }])).toBe(0);
    expect(macroF1([{ expected: 'a', got: 'a' }])).toBe(1);
  });
});

describe('fieldScores()', () => {
  test('compares leaves by path; empty ones are not there', () => {
    const wanted = { total: 12, lines: [{ name: 'a ' }, { name: 'b' }], note: null };
    const got = { total: 12, lines: [{ name: 'a' }, { name: 'c' }], note: '', more: true };
    expect(fieldScores(wanted, got)).toEqual({ fieldPrecision: 2 / 4, fieldRecall: 2 / 3 });
    expect(fieldScores({}, undefined)).toEqual({ fieldPrecision: 1, fieldRecall: 1 });
  });
});

describe('readGolden()', () => {
  test.each([
    ['{', 1, 'no JSON object'],
    ['{"id":"1","text":"x"}', 1, 'says nothing'],
    ['{"id":"1","label":"a"}\n{"id":"1","label":"a"}', 2, 'again'],
    ['', 1, 'empty'],
  ])('refuses %j', (text, line, problem) => {
    expect(readGolden(text)).toMatchObject({ kind: 'bad', line, problem: expect.stringContaining(problem) });
  });
});

describe('reports', () => {
  const evaluation = run([{ id: '<1>', label: 'a' }], [{ id: '<1>', label: 'b & c', confidence: 0.7 }]);

  test('the page has the curve, the table and the worst cases, and no document can write markup into it', () => {
    const html = htmlReport(evaluation, undefined);
    expect(html).toContain('<svg');
    expect(html).toContain('&lt;1&gt;');
    expect(html).toContain('b &amp; c');
    expect(html).not.toMatch(/<script|https?:/);
  });

  test("promptfoo's shape counts successes and failures", () => {
    expect(promptfooOutput(evaluation)).toMatchObject({
      results: {
        version: 3,
        stats: { successes: 0, failures: 1, errors: 0 },
        results: [{ success: false, cost: 0.5 }],
      },
    });
  });
});
