import { describe, expect, it } from 'vitest';
import { languageProblem } from '../../src/checks/language.ts';
import { namesNotFound } from '../../src/checks/names.ts';
import { numbersNotFound } from '../../src/checks/numbers.ts';
import { findPreamble } from '../../src/checks/preamble.ts';
import { evaluationDataPresent, readSummarySet } from '../helpers/evaluation-data.ts';

/** Share of summaries that people wrote which a check would turn down. */
function rejectedShare(set: string, check: (summary: string, source: string) => boolean): number {
  const pairs = readSummarySet(set).flatMap(({ text, summary, summaries }) =>
    (summaries ?? [summary]).map((each) => [each, text] as const),
  );
  return pairs.filter(([summary, source]) => check(summary, source)).length / pairs.length;
}

describe.skipIf(!evaluationDataPresent)('The checks of summaries that people wrote (needs the evaluation sets)', () => {
  it.each(['cnndm', 'scitldr', 'qmsum'])('turn down few of %s', (set) => {
    const shares = {
      numbers: rejectedShare(set, (summary, source) => numbersNotFound(summary, source).length > 0),
      names: rejectedShare(set, (summary, source) => namesNotFound(summary, source).length > 0),
      language: rejectedShare(set, (summary, source) => languageProblem(summary, source, undefined) !== undefined),
      preamble: rejectedShare(set, (summary, source) => findPreamble(summary, source) !== undefined),
    };
    console.info(set, shares);
    // What is left are figures that the articles really do not have.
    expect(shares.numbers).toBeLessThan(0.05);
    expect(shares.names).toBeLessThan(0.05);
    expect(shares.language).toBe(0);
    expect(shares.preamble).toBe(0);
  });

  it('find most numbers that were changed', () => {
    const changed = readSummarySet('cnndm')
      .filter(({ summary, text }) => /\d\d/.test(summary) && numbersNotFound(summary, text).length === 0)
      .map(({ summary, text }) => ({
        text,
        summary: summary.replace(/\d\d/, (digits) => String(((Number(digits) + 37) % 90) + 10)),
      }));
    const found = changed.filter(({ summary, text }) => numbersNotFound(summary, text).length > 0);
    console.info(`cnndm: ${found.length} of ${changed.length} changed numbers found`);
    expect(changed.length).toBeGreaterThan(20);
    expect(found.length / changed.length).toBeGreaterThan(0.85);
  });
});
