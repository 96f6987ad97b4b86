import { describe, expect, it } from 'vitest';
import type { ObservedAnswer } from '../../src/calibration/calibrate-observed.ts';
import { adviceJson, adviceText, type CascadeEvidence, cascadeAdvice } from '../../src/reports/advice.ts';
import type { Tier } from '../../src/workflows/workflow.ts';
import { SMALL } from '../helpers/memory/memory-app.ts';

const CASCADE: readonly Tier[] = [{ model: SMALL, acceptAt: 0.9 }, { model: { ...SMALL, name: 'large' } }];
const AUDIT = 0.1;

/**
 * 4,000 documents; confidences go evenly from 0 to 1, and those from `threshold` on are answered by the first tier, a tenth of
 * them audited. A label is wrong where its confidence is under `wrongBelow`.
 */
function answers(threshold: number, wrongBelow: Readonly<Record<string, number>>): readonly ObservedAnswer[] {
  return Array.from({ length: 4_000 }, (_, at) => {
    const label = at % 2 === 0 ? 'billing' : 'bug';
    const confidence = ((at >> 1) % 1_000) / 1_000;
    const isError = confidence < (wrongBelow[label] ?? 0);
    if (confidence < threshold) return { label, confidence, seen: 'labelled' as const, isError };
    const isAudited = (at >> 1) % 10 === 3;
    return isAudited
      ? { label, confidence, seen: 'audited' as const, isError }
      : { label, confidence, seen: 'accepted' as const };
  });
}

function evidence(observed: readonly ObservedAnswer[], more: Partial<CascadeEvidence> = {}): CascadeEvidence {
  return {
    workflow: 'triage',
    cascade: CASCADE,
    auditShare: AUDIT,
    promise: { target: 0.9, delta: 0.1, isOwn: false },
    rows: {
      answers: observed,
      ignored: 7,
      first: { model: 'small', cost: 0.0001 },
      last: { model: 'large', cost: 0.002 },
    },
    batches: ['night-2', 'night-1'],
    documents: 40_000,
    ...more,
  };
}

describe('cascadeAdvice()', () => {
  it('says how far a threshold can fall, what that saves, and the commands that try it', () => {
    const [lower] = cascadeAdvice(evidence(answers(0.9, { billing: 0.3, bug: 0.3 })));
    expect(lower?.kind).toBe('lower');
    // About 70 % are right, and a few more may be wrong: 60 % and more of 40,000 documents at $0.002 are saved.
    expect(lower?.saves).toBeGreaterThan(48_000_000_000);
    expect(lower?.saves).toBeLessThan(64_000_000_000);
    expect(lower?.message).toMatch(
      /^small may answer \d\d\.\d % of the documents instead of 10\.0 % .*billing from 0\.\d\d, now 0\.90/,
    );
    expect(lower?.commands).toEqual([
      'nightmill results night-2 -o out/night-2',
      'nightmill results night-1 -o out/night-1',
      'nightmill calibrate -w triage --rows out/night-2/results.jsonl out/night-1/results.jsonl --target 0.9 --delta 0.1',
    ]);
  });

  it('says that a threshold should rise where the audit shows that the promise is broken', () => {
    const [raise] = cascadeAdvice(evidence(answers(0.1, { billing: 0.6, bug: 0.6 })));
    expect(raise).toMatchObject({ kind: 'raise', workflow: 'triage' });
    expect(raise?.saves).toBeLessThan(0);
    expect(adviceText(raise as never)).toMatch(
      /small answers 90\.0 % .* only about 5\d\.\d % .* instead of 90\.0 %.*costs about \$/,
    );
  });

  it('names a label that does not need the last tier, and not the one that does', () => {
    const labels = cascadeAdvice(evidence(answers(0.9, { bug: 0.8 }))).filter(({ kind }) => kind === 'label');
    expect(labels).toHaveLength(1);
    expect(labels[0]?.message).toMatch(/^label billing does not need large: at least 9\d\.\d %/);
    // 45 % of all documents are passed on and called billing.
    expect(labels[0]?.saves).toBe(36_000_000_000);
  });

  it('says what is missing: an audit, labels, attempts in rows', () => {
    const kinds = (found: CascadeEvidence) => cascadeAdvice(found).map(({ kind, message }) => `${kind}: ${message}`);
    expect(
      kinds(
        evidence(
          answers(0.5, { bug: 0.2 }).filter(({ seen }) => seen !== 'audited'),
          { auditShare: 0 },
        ),
      ),
    ).toEqual([
      'missing: no threshold can be certified: of what small answers alone nothing was audited: set audit: 0.03 in the workflow',
    ]);
    expect(kinds(evidence(answers(0.5, {}).slice(0, 20)))[0]).toMatch(
      /^missing: .*labelled documents are too few to promise 0\.9/,
    );
    expect(kinds(evidence([]))).toEqual([
      'missing: none of 7 rows says what the first tier has answered: they do with rows: { attempts: true }, until retention removes them',
    ]);
    const three = [...CASCADE, { model: { ...SMALL, name: 'best' } }];
    expect(kinds(evidence([], { cascade: three }))[0]).toMatch(/^missing: rows of 3 tiers/);
    expect(cascadeAdvice(evidence([], { cascade: CASCADE.slice(1) }))).toEqual([]);
  });

  it('says nothing where the threshold is what the rows certify', () => {
    const observed = answers(0.22, { billing: 0.3, bug: 0.3 });
    const [lower] = cascadeAdvice(evidence(answers(0.9, { billing: 0.3, bug: 0.3 })));
    expect(lower?.kind).toBe('lower');
    expect(cascadeAdvice(evidence(observed)).filter(({ kind }) => kind === 'lower' || kind === 'raise')).toEqual([]);
  });

  it('is JSON with dollars, null where no sum is known', () => {
    const [missing] = cascadeAdvice(evidence([]));
    expect(JSON.parse(JSON.stringify(adviceJson(missing as never)))).toMatchObject({
      kind: 'missing',
      savesUsd: null,
      commands: [],
    });
  });
});
