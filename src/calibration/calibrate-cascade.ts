import { type AnswerTable, answeringTier, type Cascade, costOf, isRight, meanOf } from './answer-table.ts';
import type { Calibration, Fallback, Metric, PromiseWanted } from './calibration.ts';
import { type Candidate, candidateCascades } from './candidate-cascades.ts';
import { certifiesSmallLoss } from './promise.ts';
import { seededRandom, shuffledIndices } from './random.ts';
import { labelsWithoutError } from './tails.ts';

export interface CascadeOptions extends PromiseWanted {
  readonly metric: Metric;
  readonly seed: number;
  /** Items whose right answers may be looked at; default: half of them. */
  readonly labels?: number;
  /** Default 3. */
  readonly mostTiers?: number;
}

export interface CascadeCalibration {
  readonly calibration: Calibration;
  readonly cascade: Cascade;
  /** Items that were looked at. */
  readonly labelled: readonly number[];
}

/** Of the labelled items those that choose the candidates; the others test them. */
const LEARNING_SHARE = 0.4;
/** More items do not choose better candidates, and take longer. */
const MAX_LEARNING = 2_000;
/** Candidates tested one after another. */
const CHAIN = 12;
/** A candidate that looks less safe than this is not worth a test: the first that fails ends them. */
const MIN_SAFETY = 0.3;

/**
 * Finds the cheapest cascade of one to three of these models that is certified to keep the promise over all items of the table.
 * One part of the labelled items chooses candidates, the other tests them from the safest to the cheapest, each with the whole
 * `delta`, until one fails. Nothing certified: the strongest model answers everything.
 */
export function calibrateCascade(table: AnswerTable, options: CascadeOptions): CascadeCalibration {
  const { metric, target, delta, seed } = options;
  const labels = Math.min(table.items, options.labels ?? Math.floor(table.items / 2));
  const labelled = shuffledIndices(table.items, seededRandom(seed)).slice(0, labels);
  const strongest = strongestOf(table, labelled);
  const margin = metric === 'best-minus' ? target : 1 - target;
  const reference =
    metric === 'best-minus' ? (table.right[strongest] as Uint8Array) : new Uint8Array(table.items).fill(1);
  const learning = labelled.slice(0, Math.min(MAX_LEARNING, Math.round(labels * LEARNING_SHARE)));
  const testing = labelled.slice(learning.length);
  const limit = meanOf(table.cost[strongest], learning);
  const found = candidateCascades(table, learning, { reference, margin, mostTiers: options.mostTiers ?? 3 });
  const cheaper = found.filter(({ cost, safety }) => cost < limit && safety >= MIN_SAFETY);
  const taken = lastCertified(thinned(cheaper, CHAIN), (candidate) => {
    const test = { population: table.items - learning.length, drawn: testing.length, losses: 0, gains: 0 };
    for (const item of testing) {
      const difference = Number(isRight(table, candidate, item)) - (reference[item] ?? 0);
      if (difference < 0) test.losses++;
      else if (difference > 0) test.gains++;
    }
    return certifiesSmallLoss(test, margin * table.items + candidate.net, delta);
  });
  const strongAlone = { tiers: [strongest], thresholds: [] };
  const fallback = taken === undefined ? refusal(table, options, labels, found[0], learning.length, strongest) : null;
  return {
    calibration: describe(table, options, taken ?? strongAlone, strongest, labelled, fallback),
    cascade: taken ?? strongAlone,
    labelled,
  };
}

/** Most right answers; among equals the cheapest. */
function strongestOf({ models, right, cost }: AnswerTable, items: readonly number[]): number {
  const quality = models.map((_, model) => meanOf(right[model], items));
  const price = models.map((_, model) => meanOf(cost[model], items));
  return [...models.keys()].reduce((best, model) => {
    const better = (quality[model] ?? 0) - (quality[best] ?? 0);
    return better > 0 || (better === 0 && (price[model] ?? 0) < (price[best] ?? 0)) ? model : best;
  }, 0);
}

/** Evenly chosen, the first and the last among them. */
function thinned<T>(list: readonly T[], most: number): readonly T[] {
  if (list.length <= most) return list;
  const step = (list.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, index) => list[Math.round(index * step)] as T);
}

function lastCertified<T>(chain: readonly T[], isCertified: (candidate: T) => boolean): T | undefined {
  let last: T | undefined;
  for (const candidate of chain) {
    if (!isCertified(candidate)) break;
    last = candidate;
  }
  return last;
}

function describe(
  table: AnswerTable,
  { metric, target, delta }: CascadeOptions,
  cascade: Cascade,
  strongest: number,
  labelled: readonly number[],
  fallback: Fallback | null,
): Calibration {
  const items = [...Array(table.items).keys()];
  const answered = cascade.tiers.map(() => 0);
  for (const item of items) {
    const tier = answeringTier(table, cascade, item);
    answered[tier] = (answered[tier] ?? 0) + 1;
  }
  const cost = items.reduce((sum, item) => sum + costOf(table, cascade, item), 0) / Math.max(1, items.length);
  const strongCost = meanOf(table.cost[strongest], items);
  const share = (position: number) => (answered[position] ?? 0) / Math.max(1, items.length);
  return {
    target,
    delta,
    metric,
    labelsUsed: labelled.length,
    tiers: cascade.tiers.map((model, position) => {
      const threshold = cascade.thresholds[position];
      const name = table.models[model] ?? '';
      return { model: name, ...(threshold === undefined ? {} : { threshold }), share: share(position) };
    }),
    certified:
      fallback === null
        ? { bound: target, method: 'fixed sequence of exact paired tests' }
        : { bound: metric === 'best-minus' ? 0 : 1, method: 'the strongest model answers everything' },
    expectedCostUsd: cost,
    costShareOfStrongest: strongCost === 0 ? 1 : cost / strongCost,
    oracleShare: cascade.tiers.at(-1) === strongest ? share(cascade.tiers.length - 1) : 0,
    fallback,
  };
}

/** One-sided at a delta of 0.1, and with four chances in five to see it. */
const NEEDED_DEVIATIONS = 1.28 + 0.84;

function refusal(
  table: AnswerTable,
  { metric, target, delta }: CascadeOptions,
  labels: number,
  best: Candidate | undefined,
  learned: number,
  strongest: number,
): Fallback {
  const least = metric === 'best-minus' ? labelsWithoutError(1 - target, delta) : labelsWithoutError(target, delta);
  if (labels < least) {
    const reason = `${labels} labels are too few: with no error at all it takes ${least}`;
    return { reason, labelsNeeded: least };
  }
  const cheap = [...table.models.keys()].filter((model) => model !== strongest);
  if (cheap.every((model) => table.confidence[model]?.every((value) => Number.isNaN(value)))) {
    const reason = 'no model but the strongest states a confidence, so nothing tells good answers from bad ones';
    return { reason, labelsNeeded: null };
  }
  const margin = metric === 'best-minus' ? target : 1 - target;
  const slack = best === undefined || learned === 0 ? 0 : best.net / learned + margin;
  if (best === undefined || slack <= 0) {
    const reason = `every cheaper cascade seems to miss the target: confidences do not tell good answers from bad ones well enough`;
    return { reason, labelsNeeded: null };
  }
  const variance = (best.differing + 1) / learned;
  const needed = Math.ceil((variance * (NEEDED_DEVIATIONS / slack) ** 2) / (1 - LEARNING_SHARE));
  const reason = `${labels} labels are too few for this target: the test of the best cheaper cascade did not certify it`;
  return { reason, labelsNeeded: Math.max(needed, labels + 1) };
}
