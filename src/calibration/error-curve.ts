/** How likely an answer is wrong, by its confidence: a logistic curve that never rises with confidence. */
export interface ErrorCurve {
  readonly riskAt: (confidence: number) => number;
  /** Confidence tells nothing here, or runs the wrong way. */
  readonly isFlat: boolean;
}

/** Pulls the curve to "no information" and to the confidence as stated, as about so many labels would: of 200, a label of few has little to say. */
const PRIOR_WEIGHT = 5;
const STATED_SLOPE = 1;

/**
 * Fits a curve to labelled answers. It only decides where to look, never what is promised, so it may be wrong. Confidence that
 * runs the wrong way gives a flat curve: it sorts nothing.
 */
export function fitErrorCurve(confidences: readonly number[], errors: readonly boolean[]): ErrorCurve {
  const xs = confidences.map(logOdds);
  let intercept = 0;
  let slope = 0;
  for (let step = 0; step < 25; step++) {
    const change = newtonStep(xs, errors, intercept, slope);
    intercept += change[0];
    slope += change[1];
    if (Math.max(Math.abs(change[0]), Math.abs(change[1])) < 1e-6) break;
  }
  if (slope <= 0) {
    const rate = (errors.filter(Boolean).length + 0.5) / (errors.length + 1);
    return { riskAt: () => rate, isFlat: true };
  }
  return { riskAt: (confidence) => sigmoid(intercept - slope * logOdds(confidence)), isFlat: false };
}

function newtonStep(xs: readonly number[], errors: readonly boolean[], intercept: number, slope: number) {
  let g0 = -PRIOR_WEIGHT * intercept;
  let g1 = -PRIOR_WEIGHT * (slope - STATED_SLOPE);
  let h00 = PRIOR_WEIGHT;
  let h01 = 0;
  let h11 = PRIOR_WEIGHT;
  for (const [index, x] of xs.entries()) {
    const chance = sigmoid(intercept - slope * x);
    const weight = chance * (1 - chance);
    const residual = Number(errors[index]) - chance;
    g0 += residual;
    g1 -= residual * x;
    h00 += weight;
    h01 -= weight * x;
    h11 += weight * x * x;
  }
  const determinant = h00 * h11 - h01 * h01;
  const d0 = (h11 * g0 - h01 * g1) / determinant;
  const d1 = (h00 * g1 - h01 * g0) / determinant;
  const tooFar = Math.max(1, Math.abs(d0) / 2, Math.abs(d1) / 2);
  return [d0 / tooFar, d1 / tooFar] as const;
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** Of a confidence in [0, 1]; certainty is taken as one in a million. */
function logOdds(confidence: number): number {
  const kept = Math.min(1 - 1e-6, Math.max(1e-6, confidence));
  return Math.log(kept / (1 - kept));
}
