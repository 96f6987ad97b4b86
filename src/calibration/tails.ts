/** Exact tails of counting distributions: what a promise rests on, so nothing here is an approximation by the normal curve. */

const logFactorials: number[] = [0];

function logFactorial(n: number): number {
  for (let next = logFactorials.length; next <= n; next++) {
    logFactorials.push((logFactorials[next - 1] ?? 0) + Math.log(next));
  }
  return logFactorials[n] ?? Number.NaN;
}

function logChoose(n: number, k: number): number {
  return k < 0 || k > n ? Number.NEGATIVE_INFINITY : logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

/** Items of which some are marked, and how many are drawn of them without putting back. */
export interface Urn {
  readonly size: number;
  readonly marked: number;
  readonly drawn: number;
}

/** Probability that exactly `count` of those drawn are marked. */
export function hypergeometric({ size, marked, drawn }: Urn, count: number): number {
  return Math.exp(logChoose(marked, count) + logChoose(size - marked, drawn - count) - logChoose(size, drawn));
}

/** Probability that at most `count` of those drawn are marked. */
export function hypergeometricAtMost(urn: Urn, count: number): number {
  const { size, marked, drawn } = urn;
  const most = Math.min(count, marked, drawn);
  const least = Math.max(0, drawn - (size - marked));
  if (most < least) return 0;
  let term = hypergeometric(urn, most);
  let sum = 0;
  for (let k = most; k >= least; k--) {
    sum += term;
    term *= (k * (size - marked - drawn + k)) / ((marked - k + 1) * (drawn - k + 1));
  }
  return Math.min(1, sum);
}

/** The most marked items in an urn of which `count` in a draw is not yet less likely than `alpha`. */
export function hypergeometricUpper(size: number, drawn: number, count: number, alpha: number): number {
  let low = count;
  let high = size - (drawn - count);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (hypergeometricAtMost({ size, marked: middle, drawn }, count) > alpha) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Probability of at most `count` successes in `n` trials. */
export function binomialAtMost(n: number, probability: number, count: number): number {
  if (count >= n || probability <= 0) return 1;
  if (probability >= 1) return 0;
  const odds = (1 - probability) / probability;
  let term = Math.exp(logChoose(n, count) + count * Math.log(probability) + (n - count) * Math.log1p(-probability));
  let sum = 0;
  for (let k = count; k >= 0; k--) {
    sum += term;
    term *= (k / (n - k + 1)) * odds;
  }
  return Math.min(1, sum);
}

/** Clopper and Pearson's upper bound of a rate: wrong in at most `alpha` of the cases, whatever the rate. */
export function upperRate(n: number, count: number, alpha: number): number {
  if (count >= n) return 1;
  let low = count / n;
  let high = 1;
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2;
    if (binomialAtMost(n, middle, count) > alpha) low = middle;
    else high = middle;
  }
  return high;
}

/** The lower bound, likewise. */
export function lowerRate(n: number, count: number, alpha: number): number {
  return 1 - upperRate(n, n - count, alpha);
}

/** Labels that certify `target` if not one of them is an error. */
export function labelsWithoutError(target: number, delta: number): number {
  return Math.ceil(Math.log(delta) / Math.log(target) - 1e-9);
}
