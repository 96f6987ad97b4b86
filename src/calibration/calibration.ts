/** What a calibration has found; what `nightmill calibrate -o` writes and a cascade's `acceptAt: calibrated` refers to. */
export interface Calibration {
  /** Of `agreement` and `accuracy` the least share of right answers; of `best-minus` how much worse than the best single model. */
  readonly target: number;
  /** The chance that the promise is not kept is at most this. */
  readonly delta: number;
  readonly metric: Metric;
  /** Items whose right answer was asked for. */
  readonly labelsUsed: number;
  /** Cheapest first; the last one answers what the others pass on. */
  readonly tiers: readonly CalibratedTier[];
  readonly certified: {
    /** The share of right answers, or the loss against the best model, that is certified. */
    readonly bound: number;
    readonly method: string;
  };
  /** For one item, in the unit of the records' costs. */
  readonly expectedCostUsd: number;
  /** Of what the strongest model alone would cost. */
  readonly costShareOfStrongest: number;
  /** Share of the items that the last tier answers, calibration labels counted. */
  readonly oracleShare: number;
  readonly fallback: Fallback | null;
}

export const METRICS = ['agreement', 'accuracy', 'best-minus'] as const;
export type Metric = (typeof METRICS)[number];

export interface CalibratedTier {
  readonly model: string;
  /** Least confidence at which it answers; absent in the last tier, and where each label has its own. */
  readonly threshold?: number;
  /** By label; a label that is not named is never accepted. */
  readonly thresholds?: Readonly<Record<string, number>>;
  /**
   * By label: of the answers with exactly the confidence of the threshold, the share that is accepted, drawn by lot. A label
   * that is not named has all of them.
   */
  readonly ties?: Readonly<Record<string, number>>;
  /** Of the items, those it answers. */
  readonly share: number;
}

/** Why the strongest model answers everything. */
export interface Fallback {
  readonly reason: string;
  /** That would probably do; null: no number of labels would, or it cannot be told. */
  readonly labelsNeeded: number | null;
}

export interface PromiseWanted {
  readonly target: number;
  readonly delta: number;
}

/** Chance that a random right answer has more confidence than a random wrong one; undefined without one of both. */
export function separation(confidences: readonly number[], errors: readonly boolean[]): number | undefined {
  const order = confidences.map((confidence, index) => ({ confidence, isError: errors[index] === true }));
  order.sort((a, b) => a.confidence - b.confidence);
  let wrongBelow = 0;
  let pairs = 0;
  for (let at = 0; at < order.length; ) {
    let wrong = 0;
    let right = 0;
    const value = order[at]?.confidence;
    for (; at < order.length && order[at]?.confidence === value; at++) {
      if (order[at]?.isError) wrong++;
      else right++;
    }
    pairs += right * (wrongBelow + wrong / 2);
    wrongBelow += wrong;
  }
  const rights = order.length - wrongBelow;
  return wrongBelow === 0 || rights === 0 ? undefined : pairs / (wrongBelow * rights);
}
