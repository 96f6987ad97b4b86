import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { findSensitive } from '../../src/redaction/find-sensitive.ts';
import { REDACTION_RULES } from '../../src/redaction/redaction-policy.ts';

interface Labelled {
  readonly text: string;
  readonly found: readonly (readonly [rule: string, value: string])[];
}

const POLICY = { rules: REDACTION_RULES, patterns: [] };
const LINES = readFileSync(new URL('../fixtures/redaction.jsonl', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Labelled);

interface Score {
  right: number;
  wrong: number;
  missed: number;
}

/** A finding is right where its rule and its text are those of the label. */
function score(rule: string): Score & { readonly errors: readonly string[] } {
  const errors: string[] = [];
  const sum = { right: 0, wrong: 0, missed: 0 };
  for (const { text, found } of LINES) {
    const labelled = found.filter(([name]) => name === rule).map(([, value]) => value);
    for (const finding of findSensitive(text, POLICY)) {
      if (finding.rule !== rule) continue;
      const value = text.slice(finding.start, finding.end);
      const at = labelled.indexOf(value);
      if (at === -1) {
        sum.wrong += 1;
        errors.push(`${JSON.stringify(value)} found in ${JSON.stringify(text)}`);
      } else {
        sum.right += 1;
        labelled.splice(at, 1);
      }
    }
    sum.missed += labelled.length;
    for (const value of labelled) errors.push(`${JSON.stringify(value)} missed in ${JSON.stringify(text)}`);
  }
  return { ...sum, errors };
}

const rows = REDACTION_RULES.map((rule) => ({ rule, ...score(rule) }));
const table = rows
  .map(({ rule, right, wrong, missed }) => {
    const precision = right / (right + wrong);
    const recall = right / (right + missed);
    return `${rule.padEnd(8)} precision ${precision.toFixed(3)} recall ${recall.toFixed(3)} (${right + missed} labelled)`;
  })
  .join('\n');
console.info(`Redaction on ${LINES.length} labelled lines\n${table}`);

test('the labelled set has at least 150 lines, with true and false examples of every rule', () => {
  expect(LINES.length).toBeGreaterThanOrEqual(150);
  expect(LINES.filter(({ found }) => found.length === 0).length).toBeGreaterThanOrEqual(75);
  for (const { right, missed } of rows) expect(right + missed).toBeGreaterThanOrEqual(12);
});

test.each(rows)('findSensitive() finds $rule with precision and recall of at least 0.95', (row) => {
  const { right, wrong, missed, errors } = row;
  expect(right / (right + wrong), errors.join('\n')).toBeGreaterThanOrEqual(0.95);
  expect(right / (right + missed), errors.join('\n')).toBeGreaterThanOrEqual(0.95);
});
