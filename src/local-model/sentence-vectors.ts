/** TF-IDF of one sentence by stem number; scaled to length 1. */
export type SparseVector = ReadonlyMap<number, number>;

export interface SentenceVectors {
  readonly vectors: readonly SparseVector[];
  /** Cosine of each sentence with the sum of all. */
  readonly centroidSimilarities: readonly number[];
  /** For each sentence, the sum over its distinct stems of ln(1 + count in the document) x idf. */
  readonly masses: readonly number[];
}

/**
 * TF-IDF vectors of the sentences of one document, with the document's sentences as the collection.
 *
 * @param sentences the content stems of each sentence
 */
export function sentenceVectors(sentences: readonly (readonly string[])[]): SentenceVectors {
  const numbers = new Map<string, number>();
  const occurrences: number[] = [];
  const sentencesWith: number[] = [];
  const counts = sentences.map((stems) => {
    const own = new Map<number, number>();
    for (const stem of stems) {
      let number = numbers.get(stem);
      if (number === undefined) {
        number = numbers.size;
        numbers.set(stem, number);
      }
      occurrences[number] = (occurrences[number] ?? 0) + 1;
      own.set(number, (own.get(number) ?? 0) + 1);
    }
    for (const number of own.keys()) sentencesWith[number] = (sentencesWith[number] ?? 0) + 1;
    return own;
  });
  const idf = sentencesWith.map((count) => Math.log((sentences.length + 1) / count + 0.3));
  const vectors = counts.map((own) =>
    toUnit(new Map([...own].map(([number, count]) => [number, count * (idf[number] ?? 0)]))),
  );
  const sum = new Map<number, number>();
  for (const vector of vectors) for (const [number, value] of vector) sum.set(number, (sum.get(number) ?? 0) + value);
  const centroid = toUnit(sum);
  return {
    vectors,
    centroidSimilarities: vectors.map((vector) => cosine(vector, centroid)),
    masses: counts.map((own) => {
      let mass = 0;
      for (const number of own.keys()) mass += Math.log1p(occurrences[number] ?? 0) * (idf[number] ?? 0);
      return mass;
    }),
  };
}

/** Of vectors of length 1. */
export function cosine(a: SparseVector, b: SparseVector): number {
  const [small, large] = a.size <= b.size ? [a, b] : [b, a];
  let sum = 0;
  for (const [number, value] of small) sum += value * (large.get(number) ?? 0);
  return sum;
}

function toUnit(values: Map<number, number>): SparseVector {
  let squares = 0;
  for (const value of values.values()) squares += value * value;
  const length = Math.sqrt(squares);
  if (length > 0) for (const [number, value] of values) values.set(number, value / length);
  return values;
}
