import { type LetterSimilarities, letterIndex } from './letter-runs.ts';
import { dot, normalise, type Vector } from './vectors.ts';

/** Share of the everyday texts that count: those farthest from the labels, as the others may well be in scope. */
const FAR_SHARE = 0.7;
/** A text is compared with the mean of so many of its nearest among what is known of the labels. */
const NEAREST_KNOWN = 2;
const NEAREST_EVERYDAY = 3;
/** How far an example is moved to the middle of its label: a lone odd example draws less. */
const TO_THE_MIDDLE = 0.5;
const EVERYDAY_WEIGHT = 0.5;
/** Share of the examples that would count as out of scope. */
const OUT_SHARE = 0.07;
/** The threshold is measured on at most this many examples, evenly spread. */
const MEASURED_EXAMPLES = 400;
/** Log-odds of a text that is as near as the middle one of the examples. */
const MIDDLE_LOG_ODDS = 2.5;
/** From descriptions alone there is no spread to measure: fitted on news, intents and banking questions. */
const DESCRIBED = { threshold: 0.1, width: 0.1 } as const;
/** From bare names, which are far from most sentences: only what is far from all of them by much is out (decision 74). */
const NAMED = { threshold: -0.2, width: 0.1 } as const;

export interface ScopeText {
  readonly text: string;
  readonly vector: Vector;
}

export interface ScopeReferences {
  /** The labels' descriptions and the phrases in them; at least one. */
  readonly descriptions: readonly ScopeText[];
  readonly examples: readonly (ScopeText & { readonly label: number })[];
  /** What is out of scope unless a label is near. */
  readonly everyday: readonly ScopeText[];
  /** Examples of what is out of scope. */
  readonly outside: readonly ScopeText[];
  /** Some description is a bare name, and too few examples say what else is in scope. Default: false. */
  readonly onlyNames?: boolean;
}

/** The probability, 0 to 1, that one of the labels fits a text, by how near it is to what is known of them. */
export type LabelScope = (vector: Vector, text: string) => number;

/**
 * Learns the scope of a set of labels. Nearness is that of the vectors plus that of the letters, which see what an
 * encoder misses. With examples the threshold is their own spread: as far from the others as the farthest of them is an
 * even chance. Without, it is fixed.
 */
export function labelScope(references: ScopeReferences): LabelScope {
  const { descriptions, examples, everyday, outside, onlyNames = false } = references;
  const middles = middlesOf(examples);
  const moved = examples.map(({ vector, label }) => between(vector, middles.get(label)?.sum ?? vector));
  const points = [...descriptions.map(({ vector }) => vector), ...moved];
  const others = [...farthest(everyday, [...descriptions, ...examples]), ...outside];
  const letters = letterIndex([...descriptions, ...examples, ...others].map(({ text }) => text));
  const nearnessOf = nearnessTo(
    letters,
    points,
    others.map(({ vector }) => vector),
  );
  const scoreOf = (vector: Vector, text: string) => {
    const { known, other } = nearnessOf(vector, text);
    return score(known, other);
  };
  if (onlyNames || examples.length < 2) {
    const { threshold, width } = onlyNames ? NAMED : DESCRIBED;
    return (vector, text) => probability((scoreOf(vector, text) - threshold) / width);
  }
  const own = evenlySpread(examples.length)
    .map((i) => heldOutScore(i))
    .sort((a, b) => a - b);
  const threshold = own[Math.floor(OUT_SHARE * own.length)] ?? 0;
  const middle = own[Math.floor(own.length / 2)] ?? 0;
  const spread = Math.max(middle - threshold, 0.01);
  return (vector, text) => probability((MIDDLE_LOG_ODDS * (scoreOf(vector, text) - threshold)) / spread);

  /** As if the example were not among them: its label's other examples are moved to a middle without it. */
  function heldOutScore(index: number): number {
    const example = examples[index];
    if (example === undefined) return 0;
    const middle = middles.get(example.label);
    const sum = middle === undefined || middle.count < 2 ? undefined : minus(middle.sum, example.vector);
    const { known, other } = nearnessOf(example.vector, example.text);
    const kept = known.flatMap((nearness, p) => {
      const neighbour = examples[p - descriptions.length];
      if (neighbour === example) return [];
      const point = points[p];
      if (neighbour === undefined || point === undefined || neighbour.label !== example.label || sum === undefined) {
        return [nearness];
      }
      return [nearness - dot(example.vector, point) + dot(example.vector, between(neighbour.vector, sum))];
    });
    return score(kept, other);
  }
}

/** @param letters of an index that holds the texts of `points`, then those of `others` */
function nearnessTo(letters: LetterSimilarities, points: readonly Vector[], others: readonly Vector[]) {
  return (vector: Vector, text: string) => {
    const shared = letters(text);
    return {
      known: points.map((point, p) => dot(vector, point) + (shared[p] ?? 0)),
      other: others.map((other, o) => dot(vector, other) + (shared[points.length + o] ?? 0)),
    };
  };
}

function score(known: readonly number[], other: readonly number[]): number {
  return nearest(known, NEAREST_KNOWN) - EVERYDAY_WEIGHT * nearest(other, NEAREST_EVERYDAY);
}

function farthest(everyday: readonly ScopeText[], known: readonly ScopeText[]): readonly ScopeText[] {
  return everyday
    .map((text) => ({
      text,
      nearness: known.reduce((best, { vector }) => Math.max(best, dot(text.vector, vector)), -1),
    }))
    .sort((a, b) => a.nearness - b.nearness)
    .slice(0, Math.ceil(FAR_SHARE * everyday.length))
    .map(({ text }) => text);
}

function middlesOf(examples: ScopeReferences['examples']): Map<number, { sum: Vector; count: number }> {
  const middles = new Map<number, { sum: Vector; count: number }>();
  for (const { vector, label } of examples) {
    const middle = middles.get(label);
    if (middle === undefined) middles.set(label, { sum: vector.slice(), count: 1 });
    else {
      middle.count++;
      for (let k = 0; k < vector.length; k++) middle.sum[k] = (middle.sum[k] ?? 0) + (vector[k] ?? 0);
    }
  }
  return middles;
}

/** @param sum a vector of any length in the direction of the middle */
function between(vector: Vector, sum: Vector): Vector {
  const length = Math.sqrt(dot(sum, sum));
  const share = length > 0 ? TO_THE_MIDDLE / length : 0;
  return normalise(vector.map((value, k) => (1 - TO_THE_MIDDLE) * value + share * (sum[k] ?? 0)));
}

function minus(a: Vector, b: Vector): Vector {
  return a.map((value, k) => value - (b[k] ?? 0));
}

/** Mean of the `count` highest; 0 of none. */
function nearest(values: readonly number[], count: number): number {
  const highest = values.toSorted((a, b) => b - a).slice(0, count);
  return highest.reduce((sum, value) => sum + value, 0) / Math.max(1, highest.length);
}

function evenlySpread(count: number): readonly number[] {
  const measured = Math.min(count, MEASURED_EXAMPLES);
  return Array.from({ length: measured }, (_, i) => Math.floor((i * count) / measured));
}

function probability(logOdds: number): number {
  return 1 / (1 + Math.exp(-logOdds));
}
