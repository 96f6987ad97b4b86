/** Dense square or rectangular matrix, rows one after the other. */
export type Matrix = Float64Array;

/**
 * Replaces the lower triangle of a symmetric positive definite `size` x `size` matrix by its Cholesky factor L
 * (matrix = L Lᵀ). The upper triangle is left as it was.
 *
 * @throws {RangeError} the matrix is not positive definite
 */
export function factorise(matrix: Matrix, size: number): void {
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = at(matrix, i * size + j);
      for (let k = 0; k < j; k++) sum -= at(matrix, i * size + k) * at(matrix, j * size + k);
      if (i !== j) {
        matrix[i * size + j] = sum / at(matrix, j * size + j);
      } else if (sum > 0) {
        matrix[i * size + i] = Math.sqrt(sum);
      } else {
        throw new RangeError(
          `Cannot factorise the matrix: pivot ${i} is ${sum}, not positive; raise the ridge penalty`,
        );
      }
    }
  }
}

/** Solves L z = vector in place. */
export function solveLower(factor: Matrix, size: number, vector: Float64Array): void {
  for (let i = 0; i < size; i++) {
    let sum = at(vector, i);
    for (let k = 0; k < i; k++) sum -= at(factor, i * size + k) * at(vector, k);
    vector[i] = sum / at(factor, i * size + i);
  }
}

/** Solves L Lᵀ X = right side in place, for a right side of `columns` columns. Row operations keep memory access in order. */
export function solve(factor: Matrix, size: number, rightSide: Matrix, columns: number): void {
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) subtractRow(rightSide, columns, i, k, at(factor, i * size + k));
    scaleRow(rightSide, columns, i, 1 / at(factor, i * size + i));
  }
  for (let i = size - 1; i >= 0; i--) {
    scaleRow(rightSide, columns, i, 1 / at(factor, i * size + i));
    for (let k = 0; k < i; k++) subtractRow(rightSide, columns, k, i, at(factor, i * size + k));
  }
}

/** The diagonal of the inverse of L Lᵀ. */
export function inverseDiagonal(factor: Matrix, size: number): Float64Array {
  const diagonal = new Float64Array(size);
  const column = new Float64Array(size);
  for (let j = 0; j < size; j++) {
    // Column j of the inverse of L; entries above j are zero.
    let sumOfSquares = 0;
    for (let i = j; i < size; i++) {
      let sum = i === j ? 1 : 0;
      for (let k = j; k < i; k++) sum -= at(factor, i * size + k) * at(column, k);
      const value = sum / at(factor, i * size + i);
      column[i] = value;
      sumOfSquares += value * value;
    }
    diagonal[j] = sumOfSquares;
  }
  return diagonal;
}

function subtractRow(matrix: Matrix, columns: number, target: number, source: number, factor: number): void {
  for (let c = 0; c < columns; c++) {
    matrix[target * columns + c] = at(matrix, target * columns + c) - factor * at(matrix, source * columns + c);
  }
}

function scaleRow(matrix: Matrix, columns: number, row: number, factor: number): void {
  for (let c = 0; c < columns; c++) matrix[row * columns + c] = at(matrix, row * columns + c) * factor;
}

function at(values: Float64Array, index: number): number {
  return values[index] ?? 0;
}
