const LOWEST_LOG = Math.log(0.005);
const HIGHEST_LOG = Math.log(20);
const SEARCH_STEPS = 26;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

export interface Calibration {
  /** Divide scores by it before `softmax`. */
  readonly temperature: number;
  /** Mean weighted log-loss at that temperature, in nats. */
  readonly logLoss: number;
}

/** Probabilities from scores; they add up to 1. */
export function softmax(scores: ArrayLike<number>, temperature: number): Float64Array {
  const logits = Float64Array.from(scores, (score) => score / temperature);
  const highest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  let total = 0;
  for (const [i, logit] of logits.entries()) {
    logits[i] = Math.exp(logit - highest);
    total += logits[i] ?? 0;
  }
  return logits.map((value) => value / total);
}

/**
 * The temperature at which `softmax(scores)` predicts `labels` best. The targets keep a share of 1 / (n + 2) for the
 * wrong labels, as in Platt's method: without it a few examples that are all right would mean certainty.
 *
 * @param scores held-out scores, one row for each example and one number for each label
 */
export function fitTemperature(
  scores: readonly Float64Array[],
  labels: readonly number[],
  weights: readonly number[],
): Calibration {
  const doubt = 1 / (scores.length + 2);
  const lossAt = (logTemperature: number) => meanLogLoss(scores, labels, weights, Math.exp(logTemperature), doubt);
  // Golden-section search: the loss is convex in 1 / temperature, so it has one valley.
  let low = LOWEST_LOG;
  let high = HIGHEST_LOG;
  let left = high - GOLDEN * (high - low);
  let right = low + GOLDEN * (high - low);
  let leftLoss = lossAt(left);
  let rightLoss = lossAt(right);
  for (let step = 0; step < SEARCH_STEPS; step++) {
    if (leftLoss <= rightLoss) {
      [high, right, rightLoss] = [right, left, leftLoss];
      left = high - GOLDEN * (high - low);
      leftLoss = lossAt(left);
    } else {
      [low, left, leftLoss] = [left, right, rightLoss];
      right = low + GOLDEN * (high - low);
      rightLoss = lossAt(right);
    }
  }
  const best = (low + high) / 2;
  return { temperature: Math.exp(best), logLoss: lossAt(best) };
}

function meanLogLoss(
  scores: readonly Float64Array[],
  labels: readonly number[],
  weights: readonly number[],
  temperature: number,
  doubt: number,
): number {
  let loss = 0;
  let totalWeight = 0;
  for (const [i, row] of scores.entries()) {
    let highest = Number.NEGATIVE_INFINITY;
    let sum = 0;
    for (const score of row) {
      if (score > highest) highest = score;
      sum += score;
    }
    let total = 0;
    for (const score of row) total += Math.exp((score - highest) / temperature);
    const own = row[labels[i] ?? 0] ?? 0;
    const others = row.length > 1 ? (sum - own) / (row.length - 1) : own;
    const target = (1 - doubt) * own + doubt * others;
    const weight = weights[i] ?? 1;
    loss += weight * (Math.log(total) + (highest - target) / temperature);
    totalWeight += weight;
  }
  return loss / totalWeight;
}
