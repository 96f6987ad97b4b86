import { seededRandom } from '../calibration/random.ts';
import { lowerRate, upperRate } from '../calibration/tails.ts';
import { mean } from './evaluate.ts';
import type { Evaluation } from './evaluation.ts';

export interface RankedRun {
  readonly run: string;
  readonly workflow: string;
  readonly metric: string;
  readonly quality: number;
  /** 95 %: Clopper and Pearson's where a score is right or wrong, else a bootstrap over documents. */
  readonly interval: readonly [number, number];
  /** Dollars of a document. */
  readonly costUsd: number;
  /** Null: it cost nothing. */
  readonly qualityPerUsd: number | null;
  readonly medianMs: number | null;
  /** No other run is as good for less, or better for as much. */
  readonly isOnFront: boolean;
}

export interface Disagreement {
  readonly id: string;
  readonly expected?: string;
  /** By run; null: no answer. */
  readonly answers: Readonly<Record<string, string | null>>;
}

export interface Ranking {
  /** Documents that every run has. */
  readonly documents: number;
  readonly runs: readonly RankedRun[];
  readonly disagreements: readonly Disagreement[];
}

/** What quality means, the first that every run has. */
const QUALITY = ['accuracy', 'fieldRecall', 'rougeL', 'coverage', 'clean'];

/**
 * Puts runs over the same documents side by side, best quality per dollar first; runs that cost nothing come first, by quality.
 *
 * @returns undefined where they have no document or no metric in common
 */
export function rankRuns(evaluations: readonly Evaluation[], seed = 1): Ranking | undefined {
  const metric = QUALITY.find((name) => evaluations.every(({ metrics }) => metrics[name] !== undefined));
  const [first, ...others] = evaluations.map(({ items }) => new Map(items.map((item) => [item.id, item])));
  const ids = [...(first?.keys() ?? [])].filter((id) => others.every((items) => items.has(id)));
  if (metric === undefined || ids.length === 0) return undefined;
  const shared = new Set(ids);
  const measured = evaluations.map((evaluation) => measure(evaluation, metric, shared, seed));
  const runs = measured
    .map((run) => ({ ...run, isOnFront: !measured.some((other) => beats(other, run)) }))
    .sort((a, b) => (b.qualityPerUsd ?? Infinity) - (a.qualityPerUsd ?? Infinity) || b.quality - a.quality);
  return { documents: ids.length, runs, disagreements: disagreementsOf(evaluations, ids) };
}

type Measured = Omit<RankedRun, 'isOnFront'>;

function measure(
  { run, workflow, items }: Evaluation,
  metric: string,
  shared: ReadonlySet<string>,
  seed: number,
): Measured {
  const own = items.filter(({ id }) => shared.has(id));
  const scores = own.map((item) => item.scores[metric] ?? 0);
  const quality = mean(scores);
  const costUsd = mean(own.map((item) => item.costUsd));
  const durations = own.flatMap(({ durationMs }) => durationMs ?? []).sort((a, b) => a - b);
  return {
    run,
    workflow,
    metric,
    quality,
    interval: intervalOf(scores, seed),
    costUsd,
    qualityPerUsd: costUsd === 0 ? null : quality / costUsd,
    medianMs: durations[Math.floor(durations.length / 2)] ?? null,
  };
}

function beats(a: Measured, b: Measured): boolean {
  const isNoWorse = a.quality >= b.quality && a.costUsd <= b.costUsd;
  return isNoWorse && (a.quality > b.quality || a.costUsd < b.costUsd);
}

const RESAMPLES = 1_000;

function intervalOf(scores: readonly number[], seed: number): readonly [number, number] {
  if (scores.every((score) => score === 0 || score === 1)) {
    const right = scores.filter((score) => score === 1).length;
    return [lowerRate(scores.length, right, 0.025), upperRate(scores.length, right, 0.025)];
  }
  const random = seededRandom(seed);
  const means = Array.from({ length: RESAMPLES }, () =>
    mean(scores.map(() => scores[Math.floor(random() * scores.length)] ?? 0)),
  ).sort((a, b) => a - b);
  return [means[Math.floor(0.025 * RESAMPLES)] ?? 0, means[Math.ceil(0.975 * RESAMPLES) - 1] ?? 0];
}

function disagreementsOf(evaluations: readonly Evaluation[], ids: readonly string[]): readonly Disagreement[] {
  const runs = evaluations.map(({ run, items }) => ({ run, items: new Map(items.map((item) => [item.id, item])) }));
  return ids.flatMap((id): Disagreement[] => {
    const answers = Object.fromEntries(runs.map(({ run, items }) => [run, items.get(id)?.got ?? null]));
    if (new Set(Object.values(answers)).size < 2) return [];
    const expected = runs[0]?.items.get(id)?.expected;
    return [{ id, ...(expected === undefined ? {} : { expected }), answers }];
  });
}
