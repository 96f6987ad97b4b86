import type { LexicalFeatures } from './naive-bayes.ts';
import { dot, type Vector } from './vectors.ts';

/** Share of the examples that would themselves count as unlike the others. */
const UNLIKE_SHARE = 0.1;
/** The threshold is measured on at most this many examples, evenly spread: it is one number, and each one costs a pass over all. */
const MEASURED_EXAMPLES = 400;

/** Whether a text is like the examples: as near to its nearest one as nine in ten examples are to theirs. */
export type Familiarity<T> = (text: T) => boolean;

/** Nearness is the dot product of vectors. With fewer than two examples every text is familiar. */
export function vectorFamiliarity(examples: readonly Vector[]): Familiarity<Vector> {
  const nearest = (vector: Vector, except: number) =>
    examples.reduce((best, example, i) => (i === except ? best : Math.max(best, dot(vector, example))), -1);
  const threshold = lowQuantile(
    evenlySpread(examples.length).map((i) => nearest(examples[i] ?? new Float32Array(), i)),
  );
  return (vector) => nearest(vector, -1) >= threshold;
}

/** Nearness is the share of a text's features that some example has. For a model without vectors. */
export function lexicalFamiliarity(examples: readonly LexicalFeatures[]): Familiarity<LexicalFeatures> {
  const examplesWith = new Map<string, number>();
  for (const features of examples) {
    for (const feature of new Set(features)) examplesWith.set(feature, (examplesWith.get(feature) ?? 0) + 1);
  }
  const knownShare = (features: LexicalFeatures, atLeast: number) =>
    features.filter((feature) => (examplesWith.get(feature) ?? 0) >= atLeast).length / Math.max(1, features.length);
  // An example's own features do not count as known: another example must have them too.
  const threshold = lowQuantile(evenlySpread(examples.length).map((i) => knownShare(examples[i] ?? [], 2)));
  return (features) => knownShare(features, 1) >= threshold;
}

function evenlySpread(count: number): readonly number[] {
  const measured = Math.min(count, MEASURED_EXAMPLES);
  return Array.from({ length: measured }, (_, i) => Math.floor((i * count) / measured));
}

function lowQuantile(values: readonly number[]): number {
  if (values.length < 2) return Number.NEGATIVE_INFINITY;
  return [...values].sort((a, b) => a - b)[Math.floor(UNLIKE_SHARE * values.length)] ?? Number.NEGATIVE_INFINITY;
}
