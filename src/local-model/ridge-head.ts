import { factorise, inverseDiagonal, type Matrix, solve, solveLower } from './cholesky.ts';
import { dot, type Vector } from './vectors.ts';

/** The constant feature that lets a head learn how frequent each label is. */
const CONSTANT_FEATURE = 0.5;
/** Ridge penalties that are tried. */
const PENALTIES: readonly number[] = [0.1, 0.3, 1, 3, 10];

export interface RidgeTrainingSet {
  /** One vector for each example, all of the same length. */
  readonly vectors: readonly Vector[];
  /** The index of each example's label. */
  readonly labels: readonly number[];
  /** The weight of each example, above 0. */
  readonly weights: readonly number[];
  /** One zero-shot vector for each label: `dot(text, label)` is the label's prior score. */
  readonly labelVectors: readonly Vector[];
}

/** A linear map from a vector to one score for each label. */
export interface RidgeHead {
  readonly penalty: number;
  readonly priorWeight: number;
  /** One row for each label: as many weights as the vector is long, then the weight of the constant. */
  readonly rows: readonly Float64Array[];
}

/** Scores of every example under the head that was trained without it; one row for each example. */
export type LeaveOneOutScores = readonly Float64Array[];

export interface RidgeCandidate {
  readonly looScores: LeaveOneOutScores;
  readonly head: () => RidgeHead;
}

/**
 * Ridge regression to one-hot targets that is pulled towards the zero-shot map instead of zero. The head W minimises
 *
 *     Σ weight · |target − x W|² + penalty · |W − priorWeight · P|²
 *
 * where P is the zero-shot map. Yields one candidate for every penalty and prior weight, with its exact leave-one-out
 * scores, which cost nothing more than the factorisation that the fit needs anyway. A system in the examples is solved
 * while there are fewer of them than features, else one in the features.
 */
export function* ridgeCandidates(set: RidgeTrainingSet, priorWeights: readonly number[]): Generator<RidgeCandidate> {
  const { labels, labelVectors, vectors } = set;
  const labelCount = labelVectors.length;
  // The fit is linear in its targets: one-hot targets and prior scores are fitted side by side and combined for
  // every prior weight afterwards.
  const columns = 2 * labelCount;
  const targets = new Float64Array(vectors.length * columns);
  for (const [i, vector] of vectors.entries()) {
    targets[i * columns + (labels[i] ?? 0)] = 1;
    for (const [label, labelVector] of labelVectors.entries()) {
      targets[i * columns + labelCount + label] = dot(vector, labelVector);
    }
  }
  const features = (vectors[0]?.length ?? 0) + 1;
  const rows = featureRows(vectors, features);
  const fitWith = vectors.length < features ? dualFitter(set, rows, targets) : primalFitter(set, rows, targets);
  for (const penalty of PENALTIES) {
    const { residuals, solution } = fitWith(penalty);
    for (const priorWeight of priorWeights) {
      yield {
        looScores: vectors.map((_, i) =>
          Float64Array.from({ length: labelCount }, (_, label) => {
            const own = i * columns + label;
            return at(targets, own) - at(residuals, own) + priorWeight * at(residuals, own + labelCount);
          }),
        ),
        head: () => ({ penalty, priorWeight, rows: headRows(solution(), labelVectors, priorWeight) }),
      };
    }
  }
}

export function ridgeScores(head: RidgeHead, vector: Vector): Float64Array {
  return Float64Array.from(head.rows, (row) => {
    let sum = CONSTANT_FEATURE * at(row, vector.length);
    for (let k = 0; k < vector.length; k++) sum += at(row, k) * (vector[k] ?? 0);
    return sum;
  });
}

interface Fit {
  /** Leave-one-out residuals, examples x columns. */
  readonly residuals: Matrix;
  /** The fitted map, features x columns. */
  readonly solution: () => Matrix;
}

/** (K + penalty / weight) α = targets; the leave-one-out residual of example i is α_i / (inverse)_ii. */
function dualFitter(set: RidgeTrainingSet, rows: Float64Array, targets: Matrix): (penalty: number) => Fit {
  const size = set.vectors.length;
  const features = rows.length / size;
  const columns = targets.length / size;
  const kernel = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < features; k++) sum += at(rows, i * features + k) * at(rows, j * features + k);
      kernel[i * size + j] = sum;
    }
  }
  return (penalty) => {
    const factor = kernel.slice();
    for (let i = 0; i < size; i++) {
      factor[i * size + i] = at(factor, i * size + i) + penalty / (set.weights[i] ?? 1);
    }
    factorise(factor, size);
    const dual = targets.slice();
    solve(factor, size, dual, columns);
    const diagonal = inverseDiagonal(factor, size);
    const residuals = dual.map((value, index) => value / at(diagonal, Math.floor(index / columns)));
    return { residuals, solution: () => transposedProduct(rows, features, dual, columns) };
  };
}

/** (Xᵀ D X + penalty) B = Xᵀ D targets; the leave-one-out residual is the residual divided by 1 − leverage. */
function primalFitter(set: RidgeTrainingSet, rows: Float64Array, targets: Matrix): (penalty: number) => Fit {
  const size = set.vectors.length;
  const features = rows.length / size;
  const columns = targets.length / size;
  const weighted = rows.map((value, index) => value * (set.weights[Math.floor(index / features)] ?? 1));
  const gram = transposedProduct(rows, features, weighted, features);
  const moments = transposedProduct(weighted, features, targets, columns);
  return (penalty) => {
    const factor = gram.slice();
    for (let k = 0; k < features; k++) factor[k * features + k] = at(factor, k * features + k) + penalty;
    factorise(factor, features);
    const solution = moments.slice();
    solve(factor, features, solution, columns);
    const residuals = targets.slice();
    const whitened = new Float64Array(features);
    for (let i = 0; i < size; i++) {
      whitened.set(rows.subarray(i * features, (i + 1) * features));
      for (let k = 0; k < features; k++) {
        const value = at(whitened, k);
        for (let c = 0; c < columns; c++) {
          residuals[i * columns + c] = at(residuals, i * columns + c) - value * at(solution, k * columns + c);
        }
      }
      solveLower(factor, features, whitened);
      let leverage = 0;
      for (const value of whitened) leverage += value * value;
      const kept = 1 - leverage * (set.weights[i] ?? 1);
      for (let c = 0; c < columns; c++) residuals[i * columns + c] = at(residuals, i * columns + c) / kept;
    }
    return { residuals, solution: () => solution };
  };
}

function featureRows(vectors: readonly Vector[], features: number): Float64Array {
  const rows = new Float64Array(vectors.length * features);
  for (const [i, vector] of vectors.entries()) {
    rows.set(vector, i * features);
    rows[(i + 1) * features - 1] = CONSTANT_FEATURE;
  }
  return rows;
}

function headRows(solution: Matrix, labelVectors: readonly Vector[], priorWeight: number): readonly Float64Array[] {
  const labelCount = labelVectors.length;
  const columns = 2 * labelCount;
  const features = solution.length / columns;
  return labelVectors.map((labelVector, label) =>
    Float64Array.from({ length: features }, (_, k) => {
      const learned = at(solution, k * columns + label) - priorWeight * at(solution, k * columns + labelCount + label);
      return learned + priorWeight * (labelVector[k] ?? 0);
    }),
  );
}

/** leftᵀ x right, for matrices of as many rows; the result has one row for each column of `left`. */
function transposedProduct(left: Matrix, leftColumns: number, right: Matrix, rightColumns: number): Matrix {
  const product = new Float64Array(leftColumns * rightColumns);
  const size = left.length / leftColumns;
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < leftColumns; k++) {
      const value = at(left, i * leftColumns + k);
      for (let c = 0; c < rightColumns; c++) {
        product[k * rightColumns + c] = at(product, k * rightColumns + c) + value * at(right, i * rightColumns + c);
      }
    }
  }
  return product;
}

function at(values: Float64Array, index: number): number {
  return values[index] ?? 0;
}
