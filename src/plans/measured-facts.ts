import { seededRandom } from '../calibration/random.ts';
import { binomialAtMost, lowerRate } from '../calibration/tails.ts';
import { macroF1, mean } from '../evaluation/evaluate.ts';
import type { DocumentScores, Evaluation } from '../evaluation/evaluation.ts';
import { usdToNano } from '../money/money.ts';
import type { CandidateFacts, Measured } from '../workflows/requirements.ts';

const RESAMPLES = 1_000;
const LATENCY_SHARE = 0.95;

export interface FactsOf {
  /** That quality is measured by; undefined: none is asked for. */
  readonly metric: string | undefined;
  /** Probability that a bound is on the wrong side, for each of them. */
  readonly alpha: number;
  readonly seed: number;
}

/** What an evaluation says about requirements, each figure with the bound on its bad side. */
export function measuredFacts(evaluation: Evaluation, { metric, alpha, seed }: FactsOf): CandidateFacts {
  const { items, metrics } = evaluation;
  const random = seededRandom(seed);
  const quality = metric === undefined ? undefined : qualityOf(items, metric, metrics[metric], alpha, random);
  const latency = latencyBound(items, alpha);
  const costs = items.map(({ costUsd }) => usdToNano(costUsd));
  return {
    ...(quality === undefined ? {} : { quality }),
    format: rate(
      items.map(({ valid }) => valid),
      alpha,
    ),
    costPerDocument: { value: mean(costs), bound: resampled(costs, mean, 1 - alpha, random) },
    ...(latency === undefined ? {} : { p95Seconds: latency }),
  };
}

function qualityOf(
  items: readonly DocumentScores[],
  metric: string,
  value: number | undefined,
  alpha: number,
  random: () => number,
): Measured | undefined {
  if (value === undefined) return undefined;
  if (metric === 'validity')
    return rate(
      items.map(({ valid }) => valid),
      alpha,
    );
  if (metric === 'macroF1') {
    const labelled = items.filter(({ scores }) => scores['accuracy'] !== undefined);
    return { value, bound: resampled(labelled, macroF1, alpha, random) };
  }
  const scores = items.flatMap((item) => item.scores[metric] ?? []);
  if (scores.length === 0) return undefined;
  if (scores.every((score) => score === 0 || score === 1)) return rate(scores, alpha);
  return { value, bound: resampled(scores, mean, alpha, random) };
}

/** A share of ones with Clopper and Pearson's lower bound. */
function rate(scores: readonly number[], alpha: number): Measured {
  const right = scores.filter((score) => score === 1).length;
  return { value: mean(scores), bound: lowerRate(scores.length, right, alpha) };
}

/** The value of a statistic below which so many resamples of the documents stay. */
function resampled<T>(
  items: readonly T[],
  statistic: (items: readonly T[]) => number,
  share: number,
  random: () => number,
): number {
  if (items.every((item) => item === items[0])) return statistic(items);
  const values = Array.from({ length: RESAMPLES }, () =>
    statistic(items.map(() => items[Math.floor(random() * items.length)] as T)),
  ).sort((a, b) => a - b);
  return values[Math.min(RESAMPLES - 1, Math.floor(share * RESAMPLES))] ?? 0;
}

/** The 95 % quantile, and the first of the sorted times that is above it in all but `alpha` of the cases. */
function latencyBound(items: readonly DocumentScores[], alpha: number): Measured | undefined {
  const sorted = items.flatMap(({ durationMs }) => durationMs ?? []).sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const seconds = (index: number) => (sorted[index] ?? 0) / 1_000;
  const middle = Math.min(sorted.length - 1, Math.floor(LATENCY_SHARE * sorted.length));
  // The time at `at` is below the quantile only where more than `at` of the documents are.
  let at = middle;
  while (at < sorted.length && binomialAtMost(sorted.length, LATENCY_SHARE, at) < 1 - alpha) at += 1;
  return { value: seconds(middle), bound: at < sorted.length ? seconds(at) : undefined };
}
