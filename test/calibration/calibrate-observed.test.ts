import { describe, expect, test } from 'vitest';
import {
  calibrateObserved,
  type ObservedAnswer,
  type ObservedOptions,
} from '../../src/calibration/calibrate-observed.ts';
import { seededRandom } from '../../src/calibration/random.ts';
import { accepts, documents, observed } from '../helpers/simulated-nights.ts';

const AUDIT = 0.03;
const OPTIONS: ObservedOptions = {
  target: 0.9,
  delta: 0.1,
  seed: 1,
  auditShare: AUDIT,
  cheap: { model: 'small', cost: 1 },
  strong: { model: 'large', cost: 10 },
};

describe('calibrateObserved()', () => {
  test('three nights with an audit of 3 % promise for later nights, within 5 points of a golden set as large as the audit', () => {
    const random = seededRandom(31);
    const later = documents(20_000, random);
    let broken = 0;
    const shares = { audited: 0, golden: 0 };
    const runs = 100;
    for (let seed = 0; seed < runs; seed++) {
      const nights = documents(3_000, random);
      const golden = documents(Math.round(3_000 * AUDIT), random).map((each) => ({
        ...each,
        seen: 'labelled' as const,
      }));
      const own = calibrateObserved(observed(nights, AUDIT, random), { ...OPTIONS, seed });
      const by = calibrateObserved(golden, { ...OPTIONS, seed, auditShare: 0 });
      shares.audited += own.oracleShare / runs;
      shares.golden += by.oracleShare / runs;
      if (later.filter((each) => accepts(own, each) && each.isError).length > 0.1 * later.length) broken++;
    }
    expect(broken / runs).toBeLessThanOrEqual(0.1);
    expect(shares.audited).toBeLessThanOrEqual(shares.golden + 0.05);
  });

  test('what was accepted and never audited is not promised', () => {
    const random = seededRandom(32);
    const rows = observed(documents(2_000, random), AUDIT, random).map(
      (each): ObservedAnswer =>
        each.seen === 'audited' ? { label: each.label, confidence: each.confidence, seen: 'accepted' } : each,
    );
    const { fallback } = calibrateObserved(rows, { ...OPTIONS, auditShare: 0 });
    expect(fallback?.reason).toContain('nothing was audited');
  });

  test('a golden set that is too small says how many labels it takes', () => {
    const golden = documents(20, seededRandom(33)).map((each) => ({ ...each, seen: 'labelled' as const }));
    const { fallback } = calibrateObserved(golden, { ...OPTIONS, auditShare: 0 });
    expect(fallback?.labelsNeeded).toBe(37);
  });

  test('a label that nobody has checked is never accepted', () => {
    const random = seededRandom(34);
    const rows: ObservedAnswer[] = observed(documents(4_000, random), AUDIT, random);
    rows.push(...Array.from({ length: 50 }, () => ({ label: 'new', confidence: 0.99, seen: 'accepted' as const })));
    const { tiers } = calibrateObserved(rows, OPTIONS);
    expect(Object.keys(tiers[0]?.thresholds ?? {})).not.toContain('new');
  });
});
