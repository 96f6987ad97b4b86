import type { ObservedAnswer } from '../../src/calibration/calibrate-observed.ts';
import type { Calibration } from '../../src/calibration/calibration.ts';

/** What the first tier says of a document, and whether it is wrong. */
export interface Truth {
  readonly label: string;
  readonly confidence: number;
  readonly isError: boolean;
}

/** Label `a` is mostly right, `b` mostly wrong. */
export function documents(count: number, random: () => number): Truth[] {
  return Array.from({ length: count }, () => {
    const label = random() < 0.7 ? 'a' : 'b';
    const confidence = 0.5 + random() / 2;
    return { label, confidence, isError: random() < (label === 'a' ? 0.5 : 1.6) * (1 - confidence) };
  });
}

/** Rows of nights under a cautious threshold, with an audited share of what it accepts. */
export function observed(truths: readonly Truth[], audit: number, random: () => number): ObservedAnswer[] {
  return truths.map(({ label, confidence, isError }) => {
    if (confidence < 0.9) return { label, confidence, seen: 'labelled', isError };
    return random() < audit ? { label, confidence, seen: 'audited', isError } : { label, confidence, seen: 'accepted' };
  });
}

export function accepts({ tiers }: Calibration, { label, confidence }: Truth): boolean {
  return confidence >= (tiers[0]?.thresholds?.[label] ?? 2);
}
