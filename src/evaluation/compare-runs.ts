import { seededRandom } from '../calibration/random.ts';
import { binomialAtMost } from '../calibration/tails.ts';
import type { Evaluation } from './evaluation.ts';

export interface MetricComparison {
  readonly metric: string;
  readonly before: number | null;
  readonly after: number | null;
  /** Chance of a fall like this one where nothing has changed; null: it was not tested. */
  readonly pValue: number | null;
  /** 95 % interval of the change. */
  readonly interval: readonly [number, number] | null;
  readonly isRegression: boolean;
  readonly why: string;
}

export interface RunComparison {
  readonly baseline: string;
  readonly documents: number;
  readonly metrics: readonly MetricComparison[];
  readonly isRegression: boolean;
  /** Documents that it takes to see a fall of `margin` in four cases of five; null: the runs do not differ at all. */
  readonly power: { readonly margin: number; readonly documentsNeeded: number } | null;
  /** Documents that were right before and are wrong now. */
  readonly lost: readonly string[];
}

export interface ComparisonOptions {
  /** A fall up to this is no regression, as a share. */
  readonly margin: number;
  readonly seed: number;
}

/** One-sided, of each comparison as a whole: it is divided by the metrics that are tested. */
const ALPHA = 0.05;
const RESAMPLES = 2_000;
/** Where no margin is wanted, the fall that the power is stated for. */
const USUAL_MARGIN = 0.03;
/** Metrics that count; the others follow from them, or high and low are neither good nor bad. */
const TESTED = ['accuracy', 'rougeL', 'coverage', 'clean', 'fieldPrecision', 'fieldRecall'];

/**
 * Compares two runs document by document: McNemar's exact test where a score is 0 or 1, a paired bootstrap elsewhere. A metric that the
 * baseline has and the new run has not is a regression. Pure: same seed, same answer.
 */
export function compareRuns(before: Evaluation, after: Evaluation, options: ComparisonOptions): RunComparison {
  const old = new Map(before.items.map((item) => [item.id, item]));
  const pairs = after.items.flatMap((item) => {
    const known = old.get(item.id);
    return known === undefined ? [] : [{ id: item.id, before: known, after: item }];
  });
  const names = Object.keys(before.metrics).filter((metric) => TESTED.includes(metric));
  const metrics = names.map((metric): MetricComparison => {
    const values = pairs.flatMap((pair) => {
      const [a, b] = [pair.before.scores[metric], pair.after.scores[metric]];
      return a === undefined || b === undefined ? [] : [{ before: a, after: b }];
    });
    const was = before.metrics[metric] ?? null;
    const is = after.metrics[metric] ?? null;
    const untested = { metric, before: was, after: is, pValue: null, interval: null, isRegression: true };
    if (is === null) return { ...untested, why: 'the new run has no such metric' };
    if (values.length === 0) return { ...untested, why: 'the runs have no document in common' };
    const tested = testFall(values, options.seed);
    const fall = -tested.change;
    const isRegression = fall > options.margin && tested.pValue <= ALPHA / names.length;
    const why = `${isRegression ? 'fell' : 'no regression'}: ${(tested.change * 100).toFixed(1)} points on ${values.length} documents, p ${tested.pValue < 0.0001 ? 'under 0.0001' : tested.pValue.toFixed(4)} (${tested.test})`;
    return { metric, before: was, after: is, pValue: tested.pValue, interval: tested.interval, isRegression, why };
  });
  const first = names[0];
  return {
    baseline: before.run,
    documents: pairs.length,
    metrics,
    isRegression: metrics.some(({ isRegression }) => isRegression),
    power: first === undefined ? null : powerOf(first, pairs, options.margin),
    lost: pairs
      .filter((pair) => first !== undefined && (pair.before.scores[first] ?? 0) > (pair.after.scores[first] ?? 0))
      .map(({ id }) => id),
  };
}

interface Pair {
  readonly before: number;
  readonly after: number;
}

function testFall(values: readonly Pair[], seed: number) {
  const differences = values.map(({ before, after }) => after - before);
  const change = differences.reduce((sum, value) => sum + value, 0) / differences.length;
  const means = resampledMeans(differences, seed);
  const interval = [means[Math.floor(0.025 * RESAMPLES)] ?? 0, means[Math.ceil(0.975 * RESAMPLES) - 1] ?? 0] as const;
  if (values.every(({ before, after }) => isBinary(before) && isBinary(after))) {
    const losses = differences.filter((value) => value < 0).length;
    const gains = differences.filter((value) => value > 0).length;
    return { change, interval, pValue: mcNemar(losses, gains), test: 'McNemar, exact' };
  }
  const notWorse = means.filter((value) => value >= 0).length;
  return { change, interval, pValue: (notWorse + 1) / (RESAMPLES + 1), test: 'paired bootstrap' };
}

/** Chance of at least so many losses among documents that changed, were a loss as likely as a gain. */
export function mcNemar(losses: number, gains: number): number {
  return losses + gains === 0 ? 1 : binomialAtMost(losses + gains, 0.5, gains);
}

function isBinary(value: number): boolean {
  return value === 0 || value === 1;
}

function resampledMeans(differences: readonly number[], seed: number): readonly number[] {
  const random = seededRandom(seed);
  const count = differences.length;
  return Array.from({ length: RESAMPLES }, () => {
    let sum = 0;
    for (let draw = 0; draw < count; draw++) sum += differences[Math.floor(random() * count)] ?? 0;
    return sum / count;
  }).sort((a, b) => a - b);
}

/** Normal quantiles for a one-sided test at 5 % that sees a fall in four cases of five. */
const DEVIATIONS = 1.645 + 0.842;

function powerOf(
  metric: string,
  pairs: readonly {
    readonly before: { scores: Readonly<Record<string, number>> };
    readonly after: { scores: Readonly<Record<string, number>> };
  }[],
  wanted: number,
): RunComparison['power'] {
  const margin = wanted > 0 ? wanted : USUAL_MARGIN;
  const differences = pairs.map(({ before, after }) => (after.scores[metric] ?? 0) - (before.scores[metric] ?? 0));
  const square = differences.reduce((sum, value) => sum + value ** 2, 0) / Math.max(1, differences.length);
  if (square === 0) return null;
  return { margin, documentsNeeded: Math.ceil(square * (DEVIATIONS / margin) ** 2) };
}
