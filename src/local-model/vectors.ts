/** A dense vector of an embedding; of length 1 unless said otherwise. */
export type Vector = Float32Array;

export function dot(a: Vector, b: Vector): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

/** Scales to length 1 in place; a zero vector stays zero. */
export function normalise(vector: Vector): Vector {
  const length = Math.sqrt(dot(vector, vector));
  if (length > 0) for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] ?? 0) / length;
  return vector;
}

/**
 * The weighted average of `parts`, minus `mean`, scaled to length 1: the vector of a text from those of its chunks.
 *
 * @param weights one for each part; their sum is above 0
 */
export function centredAverage(parts: readonly Vector[], weights: readonly number[], mean: Vector): Vector {
  const average = new Float32Array(mean.length);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  for (const [i, part] of parts.entries()) {
    const share = (weights[i] ?? 0) / total;
    for (let k = 0; k < average.length; k++) average[k] = (average[k] ?? 0) + share * (part[k] ?? 0);
  }
  for (let k = 0; k < average.length; k++) average[k] = (average[k] ?? 0) - (mean[k] ?? 0);
  return normalise(average);
}

/**
 * What makes each label unlike the others: the vectors minus their mean, scaled to length 1. The dot product with a
 * text's vector is the label's zero-shot score.
 */
export function contrastVectors(vectors: readonly Vector[]): readonly Vector[] {
  const dimensions = vectors[0]?.length ?? 0;
  const mean = new Float32Array(dimensions);
  for (const vector of vectors) {
    for (let k = 0; k < dimensions; k++) mean[k] = (mean[k] ?? 0) + (vector[k] ?? 0) / vectors.length;
  }
  return vectors.map((vector) => normalise(vector.map((value, k) => value - (mean[k] ?? 0))));
}
